// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import TallyCore

/// `/v1/status`: the state of the system, for the dashboard and for people. Monitoring reads `/metrics`.
struct StatusRoutes {
    let service: any CountingService
    let metrics: HTTPMetrics
    let version: String

    var routes: [Route] { [.reading(.get, "/v1/status", handler: status)] }

    @Sendable private func status(_ request: Request, _ context: ServerContext) async throws -> Response {
        try QueryParameters(request).allowOnly([])
        let status = service.status
        var response = Response.json { json in
            json.member("version", version)
            json.member("now", service.now.text)
            writeReadiness(&json)
            json.name("log")
            json.object { write(log: status, &$0) }
            json.name("store")
            if let store = status.store { json.object { write(store: store, &$0) } } else { json.null() }
            if let delivery = status.delivery {
                json.name("delivery")
                json.object { write(delivery: delivery, &$0) }
            }
            if !status.partitions.isEmpty {
                json.name("partitions")
                json.array { json in for one in status.partitions { json.object { write(partition: one, &$0) } } }
            }
            json.name("events")
            json.object { write(events: status, &$0) }
            json.name("invalid")
            json.array { json in status.statistics.invalid.write(to: &json) }
            json.name("refusals")
            json.array { json in
                for refusal in metrics.refusalsByReason {
                    json.object { json in
                        json.member("reason", refusal.reason)
                        json.member("v", refusal.count)
                    }
                }
            }
            json.member("rowsInMemory", status.statistics.rows)
            json.member("eventIDs", status.statistics.seenIDs)
            json.member("banners", service.bannerCount)
            json.member("streams", service.watching?.count ?? 0)
        }
        response.headers[.cacheControl] = "no-store"
        return response
    }

    private func writeReadiness(_ json: inout JSONWriter) {
        var problems: [String] = []
        if case .notReady(let reasons) = service.readiness { problems = reasons }
        json.member("ready", problems.isEmpty)
        json.name("problems")
        json.array { json in for problem in problems { json.string(problem) } }
    }

    private func write(log status: SystemStatus, _ json: inout JSONWriter) {
        json.member("id", status.log)
        json.member("position", orNull: status.counted?.value)
        json.member("stored", orNull: status.stored?.value)
        json.member("unflushed", status.statistics.unflushedChunks)
        json.member("time", status.logTime.text)
        json.member("watermark", service.watermark)
        json.member("problem", orNull: status.logFailure)
        write(missing: status.missing, &json)
    }

    /// The chunks that the log lacks though it should have them: each node with its sequences.
    private func write(missing: [NodeID: SequenceRanges], _ json: inout JSONWriter) {
        json.name("missing")
        json.array { json in for chunks in MissingChunks.names(missing) { json.string(chunks) } }
    }

    private func write(store: StoreKeeper.Health, _ json: inout JSONWriter) {
        json.member("problem", orNull: store.problem)
        json.member("flushes", store.flushes)
        json.member("rowsWritten", store.rowsWritten)
        json.member("failures", store.failures)
        json.member("lastFlush", orNull: store.lastFlush?.text)
        json.name("conflicts")
        json.object { write(conflicts: store.conflicts, &$0) }
    }

    private func write(conflicts: StoreConflicts, _ json: inout JSONWriter) {
        json.member("count", conflicts.count)
        json.name("latest")
        json.array { json in
            for entry in conflicts.latest.reversed() {
                json.object { json in
                    json.member("time", entry.time.text)
                    json.member("log", entry.log.name)
                    json.member("banner", entry.conflict.key.banner)
                    json.member("kind", entry.conflict.key.kind.name)
                    json.member("upTo", entry.conflict.upTo.value)
                    json.name("minutes")
                    json.array { json in write(minutesOf: entry.conflict, &json) }
                }
            }
        }
    }

    private func write(minutesOf conflict: RowConflict, _ json: inout JSONWriter) {
        for (minute, stored, given) in conflict.differences {
            json.object { json in
                json.member("t", minute)
                json.member("stored", stored)
                json.member("counted", given)
            }
        }
    }

    private func write(partition: PartitionStatus, _ json: inout JSONWriter) {
        json.member("partition", partition.partition)
        json.member("log", partition.log.name)
        json.member("position", orNull: partition.progress?.counted.value)
        json.member("stored", orNull: partition.progress?.stored.value)
        json.member("lag", orNull: partition.lag)
        json.member("problem", orNull: partition.problem)
        write(missing: partition.progress?.missing ?? [:], &json)
    }

    private func write(delivery: DeliveryStatus, _ json: inout JSONWriter) {
        json.member("acknowledgement", delivery.acknowledgement.rawValue)
        json.member("problem", orNull: delivery.problem)
        json.member("spooledChunks", delivery.spooledChunks)
        json.member("spooledBytes", delivery.spooledBytes)
        json.member("forwardedChunks", delivery.forwardedChunks)
    }

    private func write(events status: SystemStatus, _ json: inout JSONWriter) {
        json.member("counted", status.statistics.counted)
        json.member("duplicates", status.statistics.duplicateEvents)
        json.member("duplicateChunks", status.statistics.duplicateChunks)
        json.member("refused", status.refused)
        json.member("prefetched", metrics.prefetches.value)
    }
}
