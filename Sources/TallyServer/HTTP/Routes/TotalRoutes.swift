// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import TallyCore

/// `/v1/totals`: everything that was counted, ever or in a range; `/v1/top`: the banners that counted most of late.
struct TotalRoutes {
    let service: any CountingService
    let queries: QueryRunner

    var routes: [Route] {
        [.reading(.get, "/v1/totals", .query, handler: totals), .reading(.get, "/v1/top", .query, handler: top)]
    }

    // MARK: Totals

    @Sendable private func totals(_ request: Request, _ context: ServerContext) async throws -> Response {
        let parameters = QueryParameters(request)
        try parameters.allowOnly(["from", "to", "traffic"])
        let traffic = try parameters.traffic()
        let range = try TotalRoutes.range(parameters)
        return try await queries.run(.heavy, context) { try await totals(in: range, traffic) }
    }

    private func totals(in range: RowRange?, _ traffic: Traffic) async throws -> Response {
        var byKind: [Kind: TrafficTotal] = [:]
        let freshness = try await forEachTotals(in: range, traffic) { totals in
            for total in totals where byKind[total.gross.kind]?.add(total) == nil { byKind[total.gross.kind] = total }
        }
        let spans = byKind.values.map(\.gross.minutes)
        let kinds = byKind.values.filter { $0.count(traffic) > 0 }.sorted { $0.gross.kind < $1.gross.kind }
        let bannerCount = service.bannerCount
        return .json { json in
            json.member("total", kinds.reduce(Int64(0)) { $0.addingSaturated($1.count(traffic)) })
            json.name("kinds")
            json.array { json in
                for kind in kinds { json.object { TotalRoutes.write(kind, traffic, to: &$0) } }
            }
            json.member("banners", bannerCount)
            if let first = spans.map(\.lowerBound).min() { json.member("first", first) }
            if let last = spans.map(\.upperBound).max() { json.member("last", last) }
            json.write(behind: freshness)
        }.with(freshness)
    }

    private static func write(_ total: TrafficTotal, _ traffic: Traffic, to json: inout JSONWriter) {
        json.member("kind", total.gross.kind.name)
        json.member("v", total.count(traffic))
        guard traffic == .all else { return }
        json.member("net", total.count(.net))
        json.member("invalid", total.count(.invalid))
        json.name("reasons")
        json.array { json in total.invalid.write(to: &json) }
    }

    private func forEachTotals(
        in range: RowRange?, _ traffic: Traffic, _ body: ([TrafficTotal]) -> Void
    ) async throws(StoreError) -> Freshness {
        guard let range else { return Freshness(watermark: service.watermark) }
        return try await service.forEachTraffic(in: range, traffic, body)
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

    @Sendable private func top(_ request: Request, _ context: ServerContext) async throws -> Response {
        let parameters = QueryParameters(request)
        try parameters.allowOnly(["window", "limit", "kind", "traffic"])
        let traffic = try parameters.traffic(among: [.gross, .net, .invalid])
        let window = try parameters.single("window").map(TotalRoutes.minutes(of:)) ?? 60
        let limit = try parameters.integer("limit", in: 1...1_000, default: 10)
        let kind = try parameters.kind() ?? .click
        // The minute that is running is the last of the window.
        let last = Minute(service.now)
        let minutes = last.advanced(by: 1 - window)...last
        return try await queries.run(.heavy, context) {
            try await top(limit, of: RowRange(kinds: [kind], minutes: minutes), traffic)
        }
    }

    private func top(_ limit: Int, of range: RowRange, _ traffic: Traffic) async throws -> Response {
        var highest = HighestCounts(limit: limit)
        let freshness = try await service.forEachTraffic(in: range, traffic) { totals in
            for total in totals { highest.add(total.count(traffic), of: total.gross.banner) }
        }
        return .json { json in
            json.member("from", range.minutes.lowerBound)
            json.member("to", range.minutes.upperBound.advanced(by: 1))
            json.name("top")
            json.array { json in
                for total in highest.sorted {
                    json.object { json in
                        json.member("banner", total.banner)
                        json.member("name", orNull: service.banner(total.banner)?.name)
                        json.member("v", total.count)
                    }
                }
            }
            json.write(behind: freshness)
        }.with(freshness)
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
