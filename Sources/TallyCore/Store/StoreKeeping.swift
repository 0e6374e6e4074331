// SPDX-License-Identifier: Apache-2.0

/// Decides what is asked of the store and the log while chunks are counted: the rows that the aggregator doesn't hold are
/// loaded; at a flush every changed row is written, then the sightings of visitors if there are any, then the checkpoint, and only
/// then may the log drop what it covers.
///
///     resting ──► loading ──► resting
///        ├──► merging ──► noting ──► saving ──► trimming ──► resting
///        └──► asking ──► resting, while chunks are missing
///
/// While the aggregator lacks chunks that the log should have, nothing is written and nothing trimmed. A flush then asks for the store's
/// checkpoint: another server may have read the chunks and counted further, or an operator may have confirmed that they are lost.
///
/// No I/O: the owner does what `next` says, one thing at a time, and reports back. After a failure nothing is lost: what
/// was to be loaded is asked for again, and a flush that is requested anew begins with the rows as they are then.
package struct StoreKeeping: Sendable {
    package enum Action: Equatable, Sendable {
        /// Read these rows from the store, and call `didLoad`.
        case load([RowKey])
        /// Write the rows, and call `didWrite`.
        case merge([Row])
        /// Write the sightings, and call `didWrite`.
        case note([Sighting])
        /// Write the checkpoint, and call `didWrite`.
        case save(Checkpoint)
        /// Read the store's checkpoint of this log, and call `didRead(checkpoint:for:)`.
        case readCheckpoint
        /// Let the log drop what stands before, and call `didTrim`, whether or not it could.
        case trim(before: LogOffset)
    }

    private enum Phase: Sendable {
        case resting
        case loading([RowKey])
        case merging(Flush)
        case noting(Flush)
        case saving(Flush)
        case trimming(before: LogOffset)
        case asking
    }

    private var phase = Phase.resting
    private var isFlushRequested = false

    package init() {}

    /// What changed is to be written, as soon as the rows that it needs are loaded.
    package mutating func requestFlush() { isFlushRequested = true }

    /// What to do now; nil when there is nothing to do until a chunk was applied or a flush is requested.
    /// - Precondition: the last action was reported.
    package mutating func next(for aggregator: inout Aggregator) -> Action? {
        switch phase {
        case .resting: break
        case .noting, .saving:
            if let action = goOnFlushing(aggregator) { return action }
        case .trimming(let offset): return .trim(before: offset)
        case .loading, .merging, .asking: preconditionFailure("the last action was not reported")
        }
        let keys = aggregator.takeKeysToLoad(most: Limits.keysPerLoad)
        if !keys.isEmpty {
            phase = .loading(keys)
            return .load(keys)
        }
        guard isFlushRequested else { return nil }
        if !aggregator.missing.isEmpty {
            phase = .asking
            return .readCheckpoint
        }
        isFlushRequested = false
        guard let flush = aggregator.beginFlush() else { return nil }
        phase = .merging(flush)
        return .merge(flush.rows)
    }

    /// - Returns: nil when a chunk was found to be missing since the flush began: then it is given up.
    private mutating func goOnFlushing(_ aggregator: Aggregator) -> Action? {
        if aggregator.missing.isEmpty {
            if case .noting(let flush) = phase { return .note(flush.sightings) }
            if case .saving(let flush) = phase { return .save(flush.checkpoint) }
        }
        phase = .resting
        isFlushRequested = true
        return nil
    }

    /// The store has answered with its checkpoint of the log; nil when it has none. What an operator has confirmed is taken over.
    /// - Returns: how far another server has counted, when that is further than the aggregator's own checkpoint. Then the aggregator is of
    ///   no use any more, and counting begins again from the store.
    package mutating func didRead(checkpoint: Checkpoint?, for aggregator: inout Aggregator) -> LogOffset? {
        guard case .asking = phase else { preconditionFailure("the checkpoint was not asked for") }
        phase = .resting
        if let checkpoint {
            if checkpoint.upTo > aggregator.checkpoint.upTo {
                isFlushRequested = false
                return checkpoint.upTo
            }
            aggregator.confirm(checkpoint.confirmedMissing)
        }
        if !aggregator.missing.isEmpty { isFlushRequested = false }
        return nil
    }

    /// The store has answered; a key that has no row in `rows` isn't stored.
    package mutating func didLoad(_ rows: [Row], into aggregator: inout Aggregator) {
        guard case .loading(let keys) = phase else { preconditionFailure("no rows were to be loaded") }
        aggregator.resolve(keys, with: rows)
        phase = .resting
    }

    /// The rows, the sightings or the checkpoint are durable.
    package mutating func didWrite(for aggregator: inout Aggregator) {
        switch phase {
        case .merging(let flush): phase = flush.sightings.isEmpty ? .saving(flush) : .noting(flush)
        case .noting(let flush): phase = .saving(flush)
        case .saving(let flush):
            aggregator.finishFlush(flush)
            phase = .trimming(before: flush.checkpoint.readFrom)
        case .resting, .loading, .trimming, .asking: preconditionFailure("nothing was to be written")
        }
    }

    package mutating func didTrim() { phase = .resting }

    /// The store did not do it, or perhaps it did.
    package mutating func didFail(for aggregator: inout Aggregator) {
        if case .loading(let keys) = phase { aggregator.loadFailed(keys) }
        isFlushRequested = false
        phase = .resting
    }
}
