// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import TallyCore

/// `/v1/totals`: everything that was counted, ever or in a range; `/v1/top`: the banners that counted most of late.
struct TotalRoutes {
    let service: any CountingService

    var routes: [Route] {
        [.reading(.get, "/v1/totals", handler: totals), .reading(.get, "/v1/top", handler: top)]
    }

    // MARK: Totals

    @Sendable private func totals(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        let parameters = QueryParameters(request)
        try parameters.allowOnly(["from", "to"])
        let totals = try await self.totals(in: try TotalRoutes.range(parameters))
        var byKind: [Kind: Int64] = [:]
        for total in totals { byKind[total.kind] = (byKind[total.kind] ?? 0).addingSaturated(total.count) }
        let all = byKind.values.reduce(Int64(0)) { $0.addingSaturated($1) }
        let bannerCount = service.bannerCount
        return .json { json in
            json.member("total", all)
            json.name("kinds")
            json.array { json in
                for (kind, count) in byKind.sorted(by: { $0.key < $1.key }) {
                    json.object { json in
                        json.member("kind", kind.name)
                        json.member("v", count)
                    }
                }
            }
            json.member("banners", bannerCount)
            if let first = totals.map(\.minutes.lowerBound).min() { json.member("first", first) }
            if let last = totals.map(\.minutes.upperBound).max() { json.member("last", last) }
        }
    }

    private func totals(in range: RowRange?) async throws(StoreError) -> [Total] {
        guard let range else { return [] }
        return try await service.totals(in: range)
    }

    /// - Returns: nil when it is empty.
    private static func range(_ parameters: QueryParameters) throws(BadRequest) -> RowRange? {
        let from = try parameters.time("from")?.minute ?? .first
        guard let to = try parameters.time("to")?.minute else {
            return from == .first ? .everything : RowRange(minutes: from ... .last)
        }
        guard from <= to else {
            throw BadRequest(detail: "to (\(to.text())) lies before from (\(from.text()))", reason: "bad_range")
        }
        return from == to ? nil : RowRange(minutes: from...to.advanced(by: -1))
    }

    // MARK: Top

    @Sendable private func top(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        let parameters = QueryParameters(request)
        try parameters.allowOnly(["window", "limit", "kind"])
        let window = try parameters.single("window").map(TotalRoutes.minutes(of:)) ?? 60
        let limit = try parameters.integer("limit", in: 1...1_000, default: 10)
        let kind = try parameters.kind() ?? .click
        // The minute that is running is the last of the window.
        let last = Minute(service.now)
        let first = last.advanced(by: 1 - window)
        let totals = try await service.totals(in: RowRange(kinds: [kind], minutes: first...last))
        let highest = totals.sorted { ($1.count, $0.banner) < ($0.count, $1.banner) }.prefix(limit)
        return .json { json in
            json.member("from", first)
            json.member("to", last.advanced(by: 1))
            json.name("top")
            json.array { json in
                for total in highest {
                    json.object { json in
                        json.member("banner", total.banner.value)
                        json.member("name", orNull: service.banner(total.banner)?.name)
                        json.member("v", total.count)
                    }
                }
            }
        }
    }

    /// `30m`, `1h`, `7d`, up to a year.
    static func minutes(of window: String) throws(BadRequest) -> Int64 {
        let unit: Int64? =
            switch window.last {
            case "m": 1
            case "h": 60
            case "d": 1_440
            default: nil
            }
        let digits = window.dropLast()
        let isNumber = (1...6).contains(digits.utf8.count) && digits.utf8.allSatisfy { (0x30...0x39).contains($0) }
        guard let unit, isNumber, let number = Int64(digits), (1...527_040).contains(number * unit) else {
            throw BadRequest(
                detail:
                    "window is \(quoted(window)); allowed are minutes, hours and days as in 30m, 1h, 7d, up to 366d",
                reason: "bad_window")
        }
        return number * unit
    }
}
