// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import TallyCore

/// `/v1/unflushed`: what this server has counted and not stored yet, for the servers that answer queries. The bytes of both
/// ways are those of `LogViewCoding.swift`, the same on both sides.
struct UnflushedRoutes {
    let service: any CountingService

    var routes: [Route] { [.reading(.post, "/v1/unflushed", .aggregate, handler: unflushed)] }

    @Sendable private func unflushed(_ request: Request, _ context: ServerContext) async throws -> Response {
        let body = try await request.wholeBody(upTo: 8 << 20)
        let range: RowRange
        do throws(ByteReadingError) {
            range = try RowRange(decoding: body)
        } catch {
            throw BadRequest(
                detail: "the body is no question of version \(RowRange.version) (\(error))", reason: "bad_question")
        }
        let views = service.views(in: range)
        var response = Response.bytes(
            LogView.encode(views, layout: service.layout), type: "application/octet-stream")
        response.headers[.cacheControl] = "no-store"
        return response
    }
}
