// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import TallyCore

/// `/v1/visitors`: how many different visitors came to a banner, by the day.
struct VisitorRoutes {
    /// So many pairs of a banner and a day are asked for at most: each is 1,024 registers.
    private static let mostSketches = 1_000

    let service: any CountingService
    let queries: QueryRunner

    var routes: [Route] { [.reading(.get, "/v1/visitors", .query, handler: visitors)] }

    @Sendable private func visitors(_ request: Request, _ context: ServerContext) async throws -> Response {
        let parameters = QueryParameters(request)
        try parameters.allowOnly(["banner", "from", "to"])
        let banners = Set(try parameters.all("banner").map { (text) throws(BadRequest) in try BannerID(text: text) })
        if banners.isEmpty { throw BadRequest(detail: "banner is missing: whose visitors?") }
        let days = try days(parameters)
        let number = Int(days.upperBound.sinceEpoch - days.lowerBound.sinceEpoch) + 1
        guard number * banners.count <= VisitorRoutes.mostSketches else {
            throw BadRequest(
                detail:
                    "\(banners.count) banners on \(number) days; allowed are \(VisitorRoutes.mostSketches) pairs of them",
                reason: "range_too_long")
        }
        // A sketch has up to 1,024 registers.
        return try await queries.run(.init(rows: number * banners.count * 1_024), context) {
            answer(try await service.visitors(of: banners, in: days), days)
        }
    }

    private func answer(_ counts: [VisitorCount], _ days: ClosedRange<Day>) -> Response {
        .json { json in
            json.member("from", days.lowerBound.description)
            json.member("to", days.upperBound.description)
            json.member("standardError", VisitorSketch.standardError)
            json.name("visitors")
            json.array { json in
                for count in counts {
                    json.object { json in
                        json.member("banner", count.banner)
                        json.member("day", count.day.description)
                        json.member("v", count.visitors)
                    }
                }
            }
        }
    }

    /// From the day of `from` to the day of the last minute before `to`; without them, the last seven.
    private func days(_ parameters: QueryParameters) throws(BadRequest) -> ClosedRange<Day> {
        let now = Minute(service.now)
        let last = try parameters.time("to")?.minute.advanced(by: -1) ?? now
        let first = try parameters.time("from")?.minute ?? last.advanced(by: -6 * Int64(Day.minutes))
        guard first <= last else {
            throw BadRequest(
                detail: "to (\(last.advanced(by: 1).text())) does not lie behind from (\(first.text()))",
                reason: "bad_range")
        }
        return Day(of: first)...Day(of: last)
    }
}
