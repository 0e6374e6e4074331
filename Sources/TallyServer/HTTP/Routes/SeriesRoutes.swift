// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import NIOCore
import TallyCore

/// `/v1/series`: counts over time, in steps of a time zone, in three formats.
struct SeriesRoutes {
    /// So much is written before any of it is sent. Nearly every answer is less, and then costs the fewest turns.
    private static let pieceBytes = 256 << 10

    private let service: any CountingService
    private let queries: QueryRunner
    private let written = WrittenSeriesCache()

    init(service: any CountingService, queries: QueryRunner) {
        self.service = service
        self.queries = queries
    }

    var routes: [Route] { [.reading(.get, "/v1/series", .query, handler: series)] }

    @Sendable private func series(_ request: Request, _ context: ServerContext) async throws -> Response {
        let query = try SeriesQuery(QueryParameters(request), now: service.now)
        return try await queries.run(query.range?.weight ?? .light, context) {
            let counted = try await counts(in: query.range)
            return try response(to: request, query, counted).with(counted.freshness)
        }
    }

    private func response(
        to request: Request, _ query: SeriesQuery, _ counted: Counted<[MinuteCount]>
    ) throws(BadRequest) -> Response {
        let question = WrittenSeriesCache.Question(parameters: request.uri.query ?? "", minutes: query.minutes)
        if let answer = written.answer(to: question, counted) { return response(to: request, answer) }

        let answer = try SeriesAnswer(query: query, counts: counted.value, freshness: counted.freshness)
        let headers = headers(of: answer)
        if let unchanged = notModified(request, headers) { return unchanged }
        var writer = SeriesWriter(answer)
        let first = writer.next(mostBytes: SeriesRoutes.pieceBytes) ?? ByteBuffer()
        guard writer.hasEnded else {
            return Response(status: .ok, headers: headers, body: body(first, rest: writer))
        }
        let whole = WrittenSeries(headers: headers, body: first)
        written.remember(whole, to: question, counted)
        return response(to: request, whole)
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

    // MARK: Answers

    private func headers(of answer: SeriesAnswer) -> HTTPFields {
        var headers: HTTPFields = [.cacheControl: answer.isFinal ? "no-cache" : "no-store"]
        if answer.isFinal { headers[.eTag] = answer.entityTag }
        headers[.contentType] = SeriesWriter.contentType(answer.query.format)
        return headers
    }

    private func response(to request: Request, _ answer: WrittenSeries) -> Response {
        notModified(request, answer.headers)
            ?? Response(status: .ok, headers: answer.headers, body: ResponseBody(byteBuffer: answer.body))
    }

    /// - Returns: nil when the client doesn't have this answer.
    private func notModified(_ request: Request, _ headers: HTTPFields) -> Response? {
        guard let tag = headers[.eTag], matches(request, tag) else { return nil }
        var headers = headers
        headers[.contentType] = nil
        return Response(status: .notModified, headers: headers)
    }

    private func body(_ first: ByteBuffer, rest: SeriesWriter) -> ResponseBody {
        ResponseBody { output in
            var rest = rest
            try await output.write(first)
            while let piece = rest.next(mostBytes: SeriesRoutes.pieceBytes) { try await output.write(piece) }
            try await output.finish(nil)
        }
    }
}
