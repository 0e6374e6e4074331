// SPDX-License-Identifier: Apache-2.0

import Synchronization
package import TallyCore

/// The aggregator, shared: ingest applies chunks, `StoreKeeper` loads and flushes rows, queries read what isn't flushed.
package final class Aggregation: Sendable {
    /// What was done since the process started, and how much is held.
    package struct Statistics: Equatable, Sendable {
        package var counted: Int64 = 0
        /// What of it was invalid.
        package var invalid = InvalidSums()
        package var duplicateEvents = 0
        package var duplicateChunks = 0
        package var rows = 0
        package var seenIDs = 0
        /// Of visitors, that the store may lack.
        package var sightings = 0
        /// Chunks behind the checkpoint.
        package var unflushedChunks: Int64 = 0
    }

    private struct State {
        var aggregator: Aggregator
        var statistics = Statistics()
        var sums = RecentSums()
        /// A flush was asked for and has not begun, since rows wait for their stored sums.
        var isFlushWaiting = false
        /// Nobody else had counted into the store when it was asked last.
        var isAlone = false

        /// - Returns: the banners of rows that came into memory.
        mutating func apply(_ entry: LogEntry) -> [BannerID] {
            let applied = aggregator.apply(entry, sumsMinutes: sums.isWanted)
            statistics.counted = statistics.counted.addingSaturated(applied.counted)
            statistics.invalid.add(applied.invalid)
            statistics.duplicateEvents += applied.duplicateEvents
            statistics.duplicateChunks += applied.isDuplicateChunk ? 1 : 0
            sums.add(applied.minutes, at: entry.offset)
            return applied.banners
        }
    }

    package let layout: Layout
    private let state: Mutex<State>
    private let banners: BannerRegistry
    private let unresolvedRowsLimit: Int
    /// Sent when rows have to be read from the store.
    let loadNeeded = Signal()

    /// - Parameter unresolvedRowsLimit: how many rows may wait for their stored sums before chunks have to.
    package init(aggregator: Aggregator, banners: BannerRegistry, unresolvedRowsLimit: Int) {
        self.layout = aggregator.layout
        self.state = Mutex(State(aggregator: aggregator))
        self.banners = banners
        self.unresolvedRowsLimit = unresolvedRowsLimit
    }

    /// Counts chunks that are durable.
    package func apply(_ entries: [LogEntry]) {
        let needsLoad = state.withLock { state in
            // Before a flush can cover the chunk, so that the flush saves its banners.
            for entry in entries { banners.note(state.apply(entry)) }
            return state.aggregator.hasRowsToLoad
        }
        if needsLoad { loadNeeded.send() }
    }

    /// What is not in the store yet, and up to where and when it is counted.
    /// - Parameters:
    ///   - partition: the log's.
    ///   - behind: why there may be more in the log; nil when the end was reached.
    func view(in range: RowRange, of log: LogID, partition: Int = 0, behind: String? = nil) -> LogView {
        state.withLock { state in
            LogView(
                log: log, partition: partition, position: state.aggregator.position, time: state.aggregator.time,
                behind: behind, rows: state.aggregator.unflushed(in: range))
        }
    }

    /// Of visitors, those that the store may lack.
    func sightings(of banners: Set<BannerID>, in days: ClosedRange<Day>) -> [Sighting] {
        state.withLock { $0.aggregator.sightings(of: banners, in: days) }
    }

    /// All that was counted in the range, when it is in memory, and nobody else counts into the store.
    func held(in range: RowRange) -> [Row]? {
        state.withLock { $0.isAlone ? $0.aggregator.held(in: range) : nil }
    }

    func setAlone(_ isAlone: Bool) { state.withLock { $0.isAlone = isAlone } }

    package func sequences(of node: NodeID) -> SequenceRanges { state.withLock { $0.aggregator.sequences(of: node) } }

    /// An offset up to which the chunk was counted; nil when it wasn't yet.
    func offset(counting chunk: Chunk) -> LogOffset? {
        state.withLock { state in
            let isCounted = state.aggregator.sequences(of: chunk.node).contains(chunk.sequence)
            return isCounted ? state.aggregator.position : nil
        }
    }

    /// The store is read more slowly than chunks of other nodes come: more of them would take memory without end, or keep a
    /// flush from beginning, which waits for all rows.
    var isOverloaded: Bool {
        state.withLock { $0.aggregator.unresolvedRowCount > ($0.isFlushWaiting ? 0 : unresolvedRowsLimit) }
    }

    func setFlushWaiting(_ isWaiting: Bool) { state.withLock { $0.isFlushWaiting = isWaiting } }

    /// The time of the log so far.
    package var time: Timestamp { state.withLock { $0.aggregator.time } }

    package var statistics: Statistics {
        state.withLock { state in
            var statistics = state.statistics
            statistics.rows = state.aggregator.rowCount
            statistics.seenIDs = state.aggregator.seenCount
            statistics.sightings = state.aggregator.sightingCount
            statistics.unflushedChunks = state.aggregator.position.value - state.aggregator.checkpoint.upTo.value
            return statistics
        }
    }

    // MARK: For the live stream

    func liveChanges(after offset: LogOffset, of banners: Set<BannerID>) -> LiveChanges {
        state.withLock { state in
            var changes = LiveChanges()
            changes.upTo = state.aggregator.position
            changes.sums = (state.sums.changes(after: offset) ?? []).map { key, sum in
                LiveChanges.Sum(kind: key.kind, minute: key.minute, count: sum.count, upTo: sum.upTo)
            }
            guard !banners.isEmpty else { return changes }
            let rows = state.aggregator.changes(after: offset, of: banners)
            changes.rows = rows.rows
            changes.upTo = rows.upTo
            changes.missingUpTo = rows.missingUpTo
            return changes
        }
    }

    /// - Returns: false when the sums are known already.
    func beginSums() -> Bool {
        state.withLock { state in
            state.sums.begin()
            return !state.sums.isLoaded
        }
    }

    func finishSums(_ slices: [RecentSums.Slice]) { state.withLock { $0.sums.finish(slices) } }

    func failSums() { state.withLock { $0.sums.fail() } }

    func unflushedWithPosition(in range: RowRange) -> (LogOffset, [UnflushedRow]) {
        state.withLock { ($0.aggregator.position, $0.aggregator.unflushed(in: range)) }
    }

    /// The last chunk that was counted, and the last that is in the store.
    package var positions: (counted: LogOffset, stored: LogOffset) {
        state.withLock { ($0.aggregator.position, $0.aggregator.checkpoint.upTo) }
    }

    /// The chunks that the log lacks though it should have them, by node.
    package var missing: [NodeID: SequenceRanges] { state.withLock { $0.aggregator.missing } }

    /// For `StoreKeeper`, which drives loading and flushing.
    func withAggregator<Value: Sendable>(_ body: (inout Aggregator) -> Value) -> Value {
        state.withLock { body(&$0.aggregator) }
    }
}
