// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import TallyCore

/// Chunks that another node made, an import above all, and how far such a node has come.
struct ChunkRoutes {
    let service: any CountingService

    var routes: [Route] {
        [
            .writing(.post, "/v1/chunks", .ingest, handler: append),
            .reading(.get, "/v1/nodes/{id}", handler: progress),
        ]
    }

    @Sendable private func append(_ request: Request, _ context: ServerContext) async throws -> Response {
        let chunk = try Chunk(decoding: try await request.wholeBody(upTo: Limits.chunkBytes)[...])
        let appended = try await service.append(try service.admit(chunk))
        return Response.json { json in
            json.member("accepted", appended.duplicate ? 0 : chunk.entryCount)
            json.member("duplicate", appended.duplicate)
        }.with(appended.receipts)
    }

    @Sendable private func progress(_ request: Request, _ context: ServerContext) async throws -> Response {
        let text = context.parameters.get("id") ?? ""
        guard let node = NodeID(hex: text) else {
            throw BadRequest(
                detail: "the node is \(quoted(text)); allowed are exactly 32 hexadecimal digits", reason: "bad_node")
        }
        let sequences = service.sequences(of: node)
        return .json { json in
            json.member("node", "\(node)")
            json.member("lastSequence", sequences.highest)
            json.member("missing", sequences.missing)
        }
    }
}
