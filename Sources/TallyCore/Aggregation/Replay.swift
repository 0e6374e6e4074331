// SPDX-License-Identifier: Apache-2.0

/// Brings an aggregator from the checkpoint in the store to the end that its log has when the replay begins. It decides whether store
/// and log belong together and what is asked of them; its owner does what each action says and reports back.
///
/// Replay does not wait for chunks that are appended meanwhile. On a log that grows as fast as it is read, it would never finish.
///
/// While the store is away it is as good to give it an older checkpoint and to leave rows unloaded: `StoreAgreement` then says
/// later whether store and log belong together.
///
///     readCheckpoint ─► readEnd ─► read ─► load … ─► read ─► … ─► finished
///            └────────────┴─► refuse
///
/// A `read` that meets a trimmed log leads back to `readCheckpoint`. A different checkpoint means that another server has counted
/// further: the replay is refused, and its owner begins again. The same checkpoint, when it covers everything that was trimmed, means
/// that only event ids of the window are lost. A log that others trim is then read from its new beginning, without those ids.
package struct Replay: Sendable {
    package enum Action: Equatable, Sendable {
        /// Call `didRead(checkpoint:)` with the store's checkpoint of this log.
        case readCheckpoint
        /// Call `didRead(end:)` with the log's end.
        case readEnd
        /// Call `didRead(_:)` with what the log has from here on, or `didFindTrimmed` when it begins later.
        case read(from: LogOffset)
        /// Call `didLoad` with the store's rows of these keys.
        case load([RowKey])
        /// The aggregator has read up to the end that `readEnd` reported, or past it.
        case finished
        case refuse(StartError)
    }

    private enum Phase: Sendable {
        case readingCheckpoint
        case readingCheckpointAgain(first: LogOffset, end: LogOffset)
        case readingEnd(Checkpoint)
        case reading(end: LogOffset)
        case loading([RowKey], end: LogOffset)
        case finished(end: LogOffset)
        case refused(StartError)
    }

    private let log: LogID
    private let layout: Layout
    private let configuration: Aggregator.Configuration
    private let isTrimmedByOthers: Bool
    private var phase = Phase.readingCheckpoint
    private var checkpoint = Checkpoint.start
    /// nil until the checkpoint is known.
    private var aggregator: Aggregator?
    private var leavesRowsUnloaded = false
    /// The offsets whose event ids can't be read any more; nil when there are none.
    package private(set) var lostIDs: Range<LogOffset>?

    /// - Parameter isTrimmedByOthers: whether the log may drop chunks that a checkpoint still needs for their event ids, as the retention of
    ///   a topic does. No other log may lack them.
    package init(
        log: LogID, layout: Layout, configuration: Aggregator.Configuration, isTrimmedByOthers: Bool = false
    ) {
        self.log = log
        self.layout = layout
        self.configuration = configuration
        self.isTrimmedByOthers = isTrimmedByOthers
    }

    package var action: Action {
        switch phase {
        case .readingCheckpoint, .readingCheckpointAgain: .readCheckpoint
        case .readingEnd: .readEnd
        case .reading: .read(from: aggregator?.position.next ?? LogOffset(1))
        case .loading(let keys, _): .load(keys)
        case .finished: .finished
        case .refused(let error): .refuse(error)
        }
    }

    /// - Parameter checkpoint: nil when the store has none of this log.
    package mutating func didRead(checkpoint: Checkpoint?) {
        if case .readingCheckpointAgain(let first, let end) = phase {
            return goOn(at: first, end: end, isUnchanged: (checkpoint ?? .start) == self.checkpoint)
        }
        if let refusal = configuration.settings.refusal(of: log, countedWith: checkpoint?.settings) {
            phase = .refused(refusal)
        } else {
            phase = .readingEnd(checkpoint ?? .start)
        }
    }

    package mutating func didRead(end: LogOffset) {
        guard case .readingEnd(let checkpoint) = phase else { preconditionFailure("the end was not asked for") }
        guard checkpoint.upTo <= end else {
            phase = .refused(.logBehindStore(log: log, end: end, checkpoint: checkpoint.upTo))
            return
        }
        self.checkpoint = checkpoint
        aggregator = Aggregator(layout: layout, checkpoint: checkpoint, configuration: configuration)
        phase = .reading(end: end)
    }

    /// The log no longer holds the offset of `read`.
    /// - Parameter first: where the log begins now.
    package mutating func didFindTrimmed(first: LogOffset) {
        guard case .reading(let end) = phase else { preconditionFailure("nothing was to be read") }
        phase = .readingCheckpointAgain(first: first, end: end)
    }

    private mutating func goOn(at first: LogOffset, end: LogOffset, isUnchanged: Bool) {
        guard isUnchanged, isTrimmedByOthers, first <= checkpoint.upTo.next else {
            phase = .refused(.storeBehindLog(log: log, first: first))
            return
        }
        lostIDs = checkpoint.readFrom..<first
        var rest = checkpoint
        rest.readFrom = first
        aggregator = Aggregator(layout: layout, checkpoint: rest, configuration: configuration)
        loadNext(end: end)
    }

    /// - Parameter entries: `[]` at the end of the log.
    /// - Returns: the banners of rows that came into memory.
    package mutating func didRead(_ entries: [LogEntry]) -> [BannerID] {
        guard case .reading(let end) = phase else { preconditionFailure("nothing was to be read") }
        if entries.isEmpty {
            phase = .finished(end: end)
            return []
        }
        if let stranger = entries.first(where: isStranger) {
            phase = .refused(.otherLog(log: log, offset: stranger.offset, checkpoint: checkpoint.upTo))
            return []
        }
        var banners: [BannerID] = []
        for entry in entries { banners += aggregator?.apply(entry).banners ?? [] }
        loadNext(end: end)
        return banners
    }

    /// The checkpoint covers its offset and doesn't know it: a topic that was made anew under an old name has other chunks
    /// there.
    private func isStranger(_ entry: LogEntry) -> Bool {
        entry.offset <= checkpoint.upTo
            && checkpoint.sequences[entry.chunk.node]?.contains(entry.chunk.sequence) != true
    }

    package mutating func didLoad(_ rows: [Row]) {
        guard case .loading(let keys, let end) = phase else { preconditionFailure("no rows were to be loaded") }
        aggregator?.resolve(keys, with: rows)
        loadNext(end: end)
    }

    /// The store is away: rows stay unresolved, for whoever has the aggregator afterwards to load them.
    package mutating func leaveUnloaded() {
        guard case .loading(let keys, let end) = phase else { preconditionFailure("no rows were to be loaded") }
        aggregator?.loadFailed(keys)
        leavesRowsUnloaded = true
        loadNext(end: end)
    }

    private mutating func loadNext(end: LogOffset) {
        let keys = leavesRowsUnloaded ? [] : aggregator?.takeKeysToLoad(most: Limits.keysPerLoad) ?? []
        if !keys.isEmpty {
            phase = .loading(keys, end: end)
        } else if let aggregator, aggregator.position >= end {
            phase = .finished(end: end)
        } else {
            phase = .reading(end: end)
        }
    }

    /// The aggregator; the action must be `finished`.
    package consuming func finished() -> Aggregator {
        guard case .finished = phase, let aggregator else { preconditionFailure("the end of the log was not reached") }
        return aggregator
    }

    /// How far it is: the offset that was read, and the log's end; nil before that is known.
    package var progress: (position: LogOffset, end: LogOffset)? {
        switch phase {
        case .reading(let end), .loading(_, let end), .finished(let end): aggregator.map { ($0.position, end) }
        default: nil
        }
    }
}

/// Why the process can't begin to count.
package enum StartError: Error, Equatable, Sendable {
    case store(StoreError)
    case log(LogError)
    /// The store holds counts of chunks that the log doesn't have: the log was restored from an old copy, or lost its end.
    case logBehindStore(log: LogID, end: LogOffset, checkpoint: LogOffset)
    /// The log has another chunk where the store's checkpoint has counted one.
    case otherLog(log: LogID, offset: LogOffset, checkpoint: LogOffset)
    /// The log has dropped chunks that the store doesn't have: the store was lost, or restored from an old copy.
    case storeBehindLog(log: LogID, first: LogOffset)
    /// The log was counted with settings that lead to other sums of the same chunks.
    case otherSettings(log: LogID, stored: CountingSettings, configured: CountingSettings)
    /// The store was away at the start, and holds less of the log now than it did before.
    case storeReplaced(log: LogID, checkpoint: LogOffset, before: LogOffset)
}

extension StartError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .store(let error): error.description
        case .log(let error): error.description
        case .logBehindStore(let log, let end, let checkpoint):
            """
            the log \(log) ends at offset \(end), but the store holds its counts up to offset \(checkpoint): the log was \
            restored from an old copy, or lost its end. Put the newer log back, or begin a new one (move the journal's \
            directory away); the stored counts stay as they are
            """
        case .otherLog(let log, let offset, let checkpoint):
            """
            the log \(log) has a chunk at offset \(offset) that the store has not counted, though it has counted up to \
            offset \(checkpoint): it is another log under an old name. Give the new one a new name; the stored counts stay \
            as they are
            """
        case .storeBehindLog(let log, let first):
            """
            the log \(log) begins at offset \(first), since everything before was in the store; but the store doesn't have \
            it: it was deleted, replaced, or restored from an old copy. Put back the store that belongs to this log
            """
        case .otherSettings(let log, let stored, let configured):
            """
            the log \(log) was counted with other settings: \(stored.differences(from: configured)). All sums of a log need the \
            same settings. Start with the stored ones, or change them: stop every server that counts this log with SIGTERM, \
            so that nothing is left to be flushed, and run: tally store settings --store URL \(configured.flags(otherThan: stored))
            """
        case .storeReplaced(let log, let checkpoint, let before):
            """
            the store holds the log \(log) up to offset \(checkpoint), but held it up to \(before) before it was away: it was \
            replaced, or restored from an old copy. Put back the store that belongs to this log, or start again: what the store \
            lacks is counted anew if the log still has it
            """
        }
    }
}
