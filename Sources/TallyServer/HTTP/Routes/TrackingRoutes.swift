// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import TallyCore

/// What stands in a web page: a pixel, a link, a beacon.
struct TrackingRoutes {
    let service: any CountingService
    let metrics: HTTPMetrics
    let judge: TrafficJudge

    var routes: [Route] {
        [
            .writing(.get, "/v1/pixel/{id}", .ingest, handler: countPixel),
            .writing(.head, "/v1/pixel/{id}", .ingest, handler: lookAtPixel),
            .writing(.get, "/v1/click/{id}", .ingest, handler: countClick),
            .writing(.head, "/v1/click/{id}", .ingest, handler: lookAtClick),
            .writing(.post, "/v1/beacon/{id}", .ingest, handler: countBeacon),
        ]
    }

    // MARK: The pixel

    @Sendable private func countPixel(_ request: Request, _ context: ServerContext) async throws -> Response {
        let event = try singleEvent(of: request, banner: context.bannerID, kind: .impression)
        return TrackingRoutes.pixel.with(try await service.recordSingle(event, of: request, metrics, judge))
    }

    @Sendable private func lookAtPixel(_ request: Request, _ context: ServerContext) async throws -> Response {
        try service.look(at: try singleEvent(of: request, banner: context.bannerID, kind: .impression))
        return TrackingRoutes.pixel.createHeadResponse()
    }

    /// One transparent pixel in 43 bytes: GIF89a, a palette of two colours of which the first is transparent, and an
    /// image of one pixel in that colour.
    static let gif: [UInt8] =
        Array("GIF89a".utf8) + [1, 0, 1, 0, 0x80, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF]
        + [0x21, 0xF9, 4, 1, 0, 0, 0, 0] + [0x2C, 0, 0, 0, 0, 1, 0, 1, 0, 0] + [2, 2, 0x44, 1, 0] + [0x3B]

    static var pixel: Response { .bytes(gif, type: "image/gif") }

    // MARK: The link

    @Sendable private func countClick(_ request: Request, _ context: ServerContext) async throws -> Response {
        let answer = try redirection(of: context.bannerID)
        let event = try singleEvent(of: request, banner: context.bannerID, kind: .click)
        return answer.with(try await service.recordSingle(event, of: request, metrics, judge))
    }

    @Sendable private func lookAtClick(_ request: Request, _ context: ServerContext) async throws -> Response {
        let answer = try redirection(of: context.bannerID)
        try service.look(at: try singleEvent(of: request, banner: context.bannerID, kind: .click))
        return answer
    }

    /// Never to a URL of the request: that would make the server a way to disguise any link.
    private func redirection(of id: BannerID) throws(NotFound) -> Response {
        guard let target = service.banner(id)?.target else {
            throw NotFound(
                detail: "banner \(id) has no target; give it one with PUT /v1/banners/\(id)", reason: "no_target")
        }
        return Response(status: .found, headers: [.location: target])
    }

    // MARK: The beacon

    /// `navigator.sendBeacon` sends at most this much.
    private static let beaconBytes = 64 << 10

    @Sendable private func countBeacon(_ request: Request, _ context: ServerContext) async throws -> Response {
        let event = try singleEvent(of: request, banner: context.bannerID, kind: .click)
        // Read to its end, since an event counts only when its request was complete, but not understood.
        _ = try await request.wholeBody(upTo: TrackingRoutes.beaconBytes)
        return Response(status: .noContent).with(try await service.recordSingle(event, of: request, metrics, judge))
    }
}
