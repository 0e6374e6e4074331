// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// What a node of its own and a server of many report alike.
extension MetricsRegistry {
    /// What was counted, what was left out since it was counted before, and what of it is held in memory.
    func reportCounted(_ statistics: @escaping @Sendable () -> Aggregation.Statistics) {
        counter("tally_events_counted_total", "Events counted since the start, each by its n.") {
            Double(statistics().counted)
        }
        for reason in InvalidReason.allCases {
            counter(
                "tally_invalid_events_total", "Events counted since the start that are no person's, by reason.",
                labels: [("reason", reason.rawValue)]
            ) {
                Double(statistics().invalid[reason])
            }
        }
        counter("tally_duplicate_events_total", "Events left out since their id was counted before.") {
            Double(statistics().duplicateEvents)
        }
        counter("tally_duplicate_chunks_total", "Chunks left out since they were counted before.") {
            Double(statistics().duplicateChunks)
        }
        gauge("tally_rows_in_memory", "Rows that are held to be counted on.") { Double(statistics().rows) }
        gauge("tally_event_ids_known", "Event ids within the window of deduplication.") {
            Double(statistics().seenIDs)
        }
        gauge("tally_unflushed_sightings", "Sightings of unique visitors that are not in the store yet.") {
            Double(statistics().sightings)
        }
        gauge("tally_unflushed_chunks", "Chunks in the log that are counted and not in the store yet.") {
            Double(statistics().unflushedChunks)
        }
    }

    func reportMissingChunks(partition: Int, _ missing: @escaping @Sendable () -> [NodeID: SequenceRanges]) {
        gauge(
            "tally_log_missing_chunks",
            "Chunks that the log lacks though its servers have written them; while there are any, nothing is stored.",
            labels: [("partition", "\(partition)")]
        ) {
            Double(MissingChunks.count(missing()))
        }
    }

    func report(_ clock: LogClock) {
        gauge(
            "tally_clock_ahead_seconds", "How far the clock has jumped ahead while events are refused for it; else 0."
        ) {
            clock.ahead / .seconds(1)
        }
    }

    /// What became of the flushes.
    func reportStore(_ health: @escaping @Sendable () -> StoreKeeper.Health) {
        counter("tally_flushes_total", "Flushes to the store that succeeded.") { Double(health().flushes) }
        counter("tally_store_rows_written_total", "Rows written to the store.") { Double(health().rowsWritten) }
        counter("tally_store_failures_total", "Attempts to read or write the store that failed and are retried.") {
            Double(health().failures)
        }
        counter(
            "tally_store_conflicts_total",
            "Rows of a flush that contradict the stored row of the same offset: two servers counted differently."
        ) {
            Double(health().conflicts.count)
        }
        gauge("tally_store_ready", "1 while the store takes the counts, 0 after a failure.") {
            health().problem == nil ? 1 : 0
        }
    }
}
