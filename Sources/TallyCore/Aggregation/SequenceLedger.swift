// SPDX-License-Identifier: Apache-2.0

/// Which chunks of a log were counted, by node, and which are missing: those that stand in the log, as the server that made them
/// asserts in a later chunk, and that were not read. It depends on the log and on confirmations alone.
///
/// A missing chunk stays missing until it arrives, late or out of order, or until its loss is confirmed. A later chunk that declares it
/// unsettled does not excuse it: an earlier one has asserted that the log had it.
package struct SequenceLedger: Sendable {
    /// The chunks that were counted.
    package private(set) var counted: [NodeID: SequenceRanges]
    /// The chunks whose loss was confirmed, by an operator or by the repair of a journal. One that arrives all the same counts.
    package private(set) var confirmed: [NodeID: SequenceRanges]
    /// The chunks that are missing; no node without one.
    package private(set) var missing: [NodeID: SequenceRanges] = [:]
    private let explainsSkippedOffsets: Bool
    /// Offsets were skipped since the last chunk that asserts something.
    private var hasSkippedOffsets = false

    /// - Parameter explainsSkippedOffsets: whether offsets that the log skips are a confirmed loss. So it is in a journal: its offsets are
    ///   consecutive, unless an operator has repaired it.
    package init(
        counted: [NodeID: SequenceRanges] = [:], confirmed: [NodeID: SequenceRanges] = [:],
        explainsSkippedOffsets: Bool = false
    ) {
        self.counted = counted
        self.confirmed = confirmed
        self.explainsSkippedOffsets = explainsSkippedOffsets
    }

    /// Reads the next chunk of the log.
    /// - Parameter skipsOffsets: whether offsets lie between it and the chunk before it.
    /// - Returns: false when it was counted before.
    package mutating func add(_ chunk: Chunk, skipsOffsets: Bool) -> Bool {
        if skipsOffsets { hasSkippedOffsets = true }
        let (isNew, isComplete) = SequenceLedger.insert(
            chunk.sequence, into: &counted[chunk.node, default: SequenceRanges()])
        guard isNew else { return false }
        if !missing.isEmpty { remove(SequenceRanges(chunk.sequence...chunk.sequence), of: chunk.node) }
        if let unsettled = chunk.unsettled {
            if !isComplete { check(chunk, unsettled) }
            hasSkippedOffsets = false
        }
        return true
    }

    /// - Returns: whether the number is new, and whether all below it are there.
    private static func insert(
        _ sequence: UInt64, into numbers: inout SequenceRanges
    ) -> (isNew: Bool, isComplete: Bool) {
        guard numbers.insert(sequence) else { return (false, false) }
        let first = numbers.ranges[0]
        return (true, first.lowerBound == 1 && first.upperBound >= sequence)
    }

    private mutating func check(_ chunk: Chunk, _ unsettled: SequenceRanges) {
        guard chunk.sequence > 1 else { return }
        var hole = SequenceRanges(1...chunk.sequence - 1)
        hole.subtract(unsettled)
        if let counted = counted[chunk.node] { hole.subtract(counted) }
        if let confirmed = confirmed[chunk.node] { hole.subtract(confirmed) }
        if hole.isEmpty { return }
        if explainsSkippedOffsets, hasSkippedOffsets {
            confirmed[chunk.node, default: SequenceRanges()].formUnion(hole)
        } else {
            missing[chunk.node, default: SequenceRanges()].formUnion(hole)
        }
    }

    /// These chunks are lost, and it was confirmed.
    package mutating func confirm(_ lost: [NodeID: SequenceRanges]) {
        for (node, numbers) in lost {
            confirmed[node, default: SequenceRanges()].formUnion(numbers)
            remove(numbers, of: node)
        }
    }

    private mutating func remove(_ numbers: SequenceRanges, of node: NodeID) {
        guard var rest = missing[node] else { return }
        rest.subtract(numbers)
        missing[node] = rest.isEmpty ? nil : rest
    }
}
