// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import TallyCore

/// `/v1/totals`: everything that was counted, ever or in a range; `/v1/top`: the banners that counted most of late.
struct TotalRoutes {
    let service: any CountingService

    var routes: [Route] {
        [.reading(.get, "/v1/totals", .query, handler: totals), .reading(.get, "/v1/top", .query, handler: top)]
    }

    // MARK: Totals

    @Sendable private func totals(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        let parameters = QueryParameters(request)
        try parameters.allowOnly(["from", "to", "traffic"])
        let traffic = try parameters.traffic()
        let counted = try await self.totals(in: try TotalRoutes.range(parameters), traffic)
        let totals = counted.value
        var byKind: [Kind: TrafficTotal] = [:]
        for total in totals where byKind[total.gross.kind]?.add(total) == nil { byKind[total.gross.kind] = total }
        let kinds = byKind.values.filter { $0.count(traffic) > 0 }.sorted { $0.gross.kind < $1.gross.kind }
        let bannerCount = service.bannerCount
        return .json { json in
            json.member("total", kinds.reduce(Int64(0)) { $0.addingSaturated($1.count(traffic)) })
            json.name("kinds")
            json.array { json in
                for kind in kinds { json.object { TotalRoutes.write(kind, traffic, to: &$0) } }
            }
            json.member("banners", bannerCount)
            if let first = totals.map(\.gross.minutes.lowerBound).min() { json.member("first", first) }
            if let last = totals.map(\.gross.minutes.upperBound).max() { json.member("last", last) }
            json.write(behind: counted.freshness)
        }.with(counted.freshness)
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

    private func totals(in range: RowRange?, _ traffic: Traffic) async throws(StoreError) -> Counted<[TrafficTotal]> {
        guard let range else { return Counted([], Freshness(watermark: service.watermark)) }
        return try await service.traffic(in: range, traffic)
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
        try parameters.allowOnly(["window", "limit", "kind", "traffic"])
        let traffic = try parameters.traffic(among: [.gross, .net, .invalid])
        let window = try parameters.single("window").map(TotalRoutes.minutes(of:)) ?? 60
        let limit = try parameters.integer("limit", in: 1...1_000, default: 10)
        let kind = try parameters.kind() ?? .click
        // The minute that is running is the last of the window.
        let last = Minute(service.now)
        let first = last.advanced(by: 1 - window)
        let range = RowRange(kinds: [kind], minutes: first...last)
        let counted = try await service.traffic(in: range, traffic)
        let totals = counted.value.map { (banner: $0.gross.banner, count: $0.count(traffic)) }.filter { $0.count > 0 }
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
            json.write(behind: counted.freshness)
        }.with(counted.freshness)
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
