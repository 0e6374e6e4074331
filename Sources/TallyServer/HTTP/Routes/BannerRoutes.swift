// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import TallyCore

/// `/v1/banners`: which banners there are, and what they are called.
struct BannerRoutes {
    let service: any CountingService
    let queries: QueryRunner

    /// A page of so many banners without totals costs little.
    private static let lightPage = 1_000

    var routes: [Route] {
        [
            .reading(.get, "/v1/banners", handler: list),
            .writing(.post, "/v1/banners", handler: registerNames),
            .reading(.get, "/v1/banners/{id}", .query, handler: show),
            .writing(.put, "/v1/banners/{id}", handler: register),
            .writing(.delete, "/v1/banners/{id}", handler: unregister),
        ]
    }

    // MARK: Reading

    @Sendable private func list(_ request: Request, _ context: ServerContext) async throws -> Response {
        let parameters = QueryParameters(request)
        try parameters.allowOnly(["limit", "after", "totals", "search"])
        let limit = try parameters.integer("limit", in: 1...10_000, default: 1_000)
        let after = try parameters.single("after").map { (text) throws(BadRequest) in try BannerID(text: text) }
        let withTotals = try parameters.flag("totals")
        let search = try parameters.single("search").map(BannerSearch.init)
        let isHeavy = withTotals || search != nil || limit > BannerRoutes.lightPage
        return try await queries.run(isHeavy ? .heavy : .light, context) {
            try await page(of: search, after: after, limit: limit, withTotals: withTotals)
        }
    }

    private func page(
        of search: BannerSearch?, after: BannerID?, limit: Int, withTotals: Bool
    ) async throws -> Response {
        let (page, next) = service.page(of: search, after: after, limit: limit)
        let totals = withTotals ? try await self.totals(of: page.map(\.id)) : nil
        return .json { json in
            json.name("banners")
            json.array { json in
                for banner in page {
                    json.object { banner.write(to: &$0, totals: totals.map { $0[banner.id] ?? [] }) }
                }
            }
            json.name("next")
            if let next { json.banner(next) } else { json.null() }
        }
    }

    @Sendable private func show(_ request: Request, _ context: ServerContext) async throws -> Response {
        let id = try context.bannerID
        guard let banner = service.banner(id) else { throw unknown(id) }
        return try await queries.run(.light, context) {
            let totals = try await totals(of: [id])[id] ?? []
            return .json { banner.write(to: &$0, totals: totals) }
        }
    }

    private func totals(of ids: [BannerID]) async throws -> [BannerID: [Total]] {
        guard !ids.isEmpty else { return [:] }
        let range = RowRange(banners: Set(ids), minutes: .first ... .last)
        var totals: [BannerID: [Total]] = [:]
        _ = try await service.forEachTraffic(in: range, .gross) { some in
            for total in some { totals[total.gross.banner, default: []].append(total.gross) }
        }
        return totals
    }

    private func unknown(_ id: BannerID) -> NotFound {
        NotFound(
            detail: "there is no banner \(id); it appears with its first event, or by PUT", reason: "unknown_banner")
    }

    // MARK: Writing

    @Sendable private func registerNames(_ request: Request, _ context: ServerContext) async throws -> Response {
        let body = try await request.wholeBody(upTo: Limits.bodyBytes)
        let names = try Banner.names(json: try JSONReader.value(of: body[...]))
        let banners = try await service.register(names: names)
        return .json { json in
            json.name("banners")
            json.array { json in
                for (banner, name) in zip(banners, names) {
                    json.object { json in
                        json.member("id", banner.id)
                        json.member("name", banner.name ?? name)
                    }
                }
            }
        }
    }

    @Sendable private func register(_ request: Request, _ context: ServerContext) async throws -> Response {
        let id = try context.bannerID
        let body = try await request.wholeBody(upTo: 64 << 10)
        let banner = try Banner(id: id, json: try JSONReader.value(of: body[...]))
        let registered = try await service.register(banner)
        return .json { registered.write(to: &$0, totals: nil) }
    }

    @Sendable private func unregister(_ request: Request, _ context: ServerContext) async throws -> Response {
        let id = try context.bannerID
        guard try await service.unregister(id) else {
            throw NotFound(detail: "banner \(id) is not registered", reason: "unknown_banner")
        }
        return Response(status: .noContent)
    }
}
