// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import TallyCore

/// `POST /v1/events`: many events at once. The good ones count together, the bad ones are named.
struct EventRoutes {
    let service: any CountingService
    let metrics: HTTPMetrics

    var routes: [Route] { [.writing(.post, "/v1/events", .ingest, handler: count)] }

    @Sendable private func count(_ request: Request, _ context: ServerContext) async throws -> Response {
        let parameters = QueryParameters(request)
        try parameters.allowOnly(["backfill"])
        let backfill = try parameters.flag("backfill")
        var reader = BatchReader(backfill: backfill, service: service)
        try await request.readUnpackedBody(upTo: Limits.bodyBytes) { reader.read($0) }
        let batch = try reader.finish()
        count(batch.refusals)
        if let refusal = batch.temporary { throw refusal }
        let receipts = batch.accepted.events.isEmpty ? [] : try await service.record(batch.accepted)
        return answer(to: batch).with(receipts)
    }

    private func count(_ refusals: [String: Int]) {
        for (reason, count) in refusals { metrics.refusals(reason).add(UInt64(count)) }
    }

    private func answer(to batch: EventBatch) -> Response {
        let nothingCounts = batch.accepted.events.isEmpty && batch.rejectedCount > 0
        return .json(
            { json in
                json.member("accepted", batch.accepted.count)
                json.name("rejected")
                json.array { json in
                    for rejected in batch.rejected { json.object { rejected.write(to: &$0) } }
                }
                json.member("rejectedCount", batch.rejectedCount)
            }, status: nothingCounts ? .badRequest : .ok)
    }
}
