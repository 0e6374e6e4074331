// SPDX-License-Identifier: Apache-2.0

/// How far a log is in the store, and what is needed to go on from there.
package struct Checkpoint: Equatable, Sendable {
    /// Every row is in the store up to this offset.
    package var upTo: LogOffset
    /// Reading begins here, not above `upTo.next`: the event ids of the window stand from here on. The log must keep it.
    package var readFrom: LogOffset
    /// The log's time before `readFrom`.
    package var timeBefore: Timestamp
    /// The latest minute of any row at or below `upTo`; nil when there is none.
    package var lastMinute: Minute?
    /// The kinds counted up to `upTo`, in the order of their first event.
    package var kinds: [Kind]
    /// The chunks counted up to `upTo`, by node.
    package var sequences: [NodeID: SequenceRanges]
    /// The chunks of servers that are not in the log though they should be, and that an operator, or the repair of a journal, has
    /// confirmed to be lost, by node. A chunk that arrives all the same counts.
    package var confirmedMissing: [NodeID: SequenceRanges]
    /// The settings that the sums up to `upTo` depend on; nil when the checkpoint is of version 1, which has none.
    package var settings: CountingSettings?

    /// Before the first chunk.
    package static let start = Checkpoint(
        upTo: .none, readFrom: LogOffset(1), timeBefore: .epoch, lastMinute: nil, sequences: [:])

    package init(
        upTo: LogOffset, readFrom: LogOffset, timeBefore: Timestamp, lastMinute: Minute?, kinds: [Kind] = [],
        sequences: [NodeID: SequenceRanges], confirmedMissing: [NodeID: SequenceRanges] = [:],
        settings: CountingSettings? = nil
    ) {
        self.upTo = upTo
        self.readFrom = readFrom
        self.timeBefore = timeBefore
        self.lastMinute = lastMinute
        self.kinds = kinds
        self.sequences = sequences
        self.confirmedMissing = confirmedMissing
        self.settings = settings
    }
}

extension Checkpoint {
    /// A checkpoint that comes late never takes a log back.
    /// - Parameter saved: the checkpoint of the same log, if there is one.
    package func replaces(_ saved: Checkpoint?) -> Bool { saved.map { upTo >= $0.upTo } ?? true }
}
