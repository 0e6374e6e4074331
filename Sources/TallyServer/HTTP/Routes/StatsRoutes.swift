// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import TallyCore

/// `POST /stats/{id}` and `POST /stats`: counts by the minute, both ends included.
struct StatsRoutes {
    let service: any CountingService
    let queries: QueryRunner

    var routes: [Route] {
        [
            .reading(.post, "/stats/{id}", .query, handler: ofBanner),
            .reading(.post, "/stats", .query, handler: ofAllBanners),
        ]
    }

    @Sendable private func ofBanner(_ request: Request, _ context: ServerContext) async throws -> Response {
        let banner = try context.bannerID
        let query = try StatsQuery(json: try await value(of: request))
        return try await answer(query, of: [banner], context) { _, _ in }
    }

    @Sendable private func ofAllBanners(_ request: Request, _ context: ServerContext) async throws -> Response {
        let query = try StatsQuery(json: try await value(of: request))
        return try await answer(query, of: nil, context) { json, count in
            json.member("bannerId", count.banner)
        }
    }

    private func answer(
        _ query: StatsQuery, of banners: Set<BannerID>?, _ context: ServerContext,
        member: @escaping @Sendable (inout JSONWriter, MinuteCount) -> Void
    ) async throws -> Response {
        let range = query.range(of: banners)
        return try await queries.run(range.weight, context) {
            answer(try await service.minuteCounts(in: range), query: query, member: member)
        }
    }

    private func value(of request: Request) async throws -> JSONValue {
        let body = try await request.wholeBody(upTo: 64 << 10)
        guard !body.isEmpty else {
            throw BadRequest(detail: "the body is empty; \(StatsQuery.allowed)", reason: "empty_body")
        }
        return try JSONReader.value(of: body[...])
    }

    private func answer(
        _ counted: Counted<[MinuteCount]>, query: StatsQuery, member: (inout JSONWriter, MinuteCount) -> Void
    ) -> Response {
        .json { json in
            json.name("stats")
            json.array { json in
                for count in counted.value {
                    json.object { json in
                        member(&json, count)
                        json.member("ts", count.minute, in: query.zone)
                        json.member("v", count.count)
                    }
                }
            }
        }.with(counted.freshness)
    }
}
