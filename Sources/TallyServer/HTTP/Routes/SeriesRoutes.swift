// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import TallyCore

/// `/v1/series`: counts over time, in steps of a time zone, in three formats.
struct SeriesRoutes {
    let service: any CountingService

    var routes: [Route] { [.reading(.get, "/v1/series", .query, handler: series)] }

    @Sendable private func series(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        let query = try SeriesQuery(QueryParameters(request), now: service.now)
        let counted = try await counts(in: query.range)
        let answer = try SeriesAnswer(query: query, counts: counted.value, freshness: counted.freshness)
        guard answer.isFinal else { return response(answer, headers: [.cacheControl: "no-store"]) }
        let headers: HTTPFields = [.eTag: answer.entityTag, .cacheControl: "no-cache"]
        if matches(request, answer.entityTag) { return Response(status: .notModified, headers: headers) }
        return response(answer, headers: headers)
    }

    private func counts(in range: RowRange?) async throws(StoreError) -> Counted<[MinuteCount]> {
        guard let range else { return Counted([], Freshness(watermark: service.watermark)) }
        return try await service.minuteCounts(in: range)
    }

    /// By RFC 9110, section 13.1.2: a list of tags or `*`; weak comparison.
    private func matches(_ request: Request, _ tag: String) -> Bool {
        let strength = "W/"
        let wanted = tag.dropFirst(strength.count)
        return request.headers[values: .ifNoneMatch].joined(separator: ",").split(separator: ",").contains {
            candidate in
            let candidate = candidate.filter { $0 != " " }
            return candidate == "*" || candidate == tag || candidate == wanted
        }
    }

    private func response(_ answer: SeriesAnswer, headers: HTTPFields) -> Response {
        let writer = SeriesWriter(answer: answer)
        var headers = headers
        headers[.contentType] = writer.contentType
        let body = ResponseBody { output in
            try await writer.write(to: &output)
            try await output.finish(nil)
        }
        return Response(status: .ok, headers: headers, body: body).with(answer.freshness)
    }
}
