// SPDX-License-Identifier: Apache-2.0

/// Numbers the chunks of one node, and knows which of its numbers may not be in the log: those that were given up, are still in a
/// spool, or belong to the commit on its way. Each chunk declares them, so that a reader can tell an empty hole from a missing chunk.
struct ChunkNumbering {
    /// The last number that was given out; 0 before the first.
    private(set) var last: UInt64
    private var lastBeforeCommit: UInt64
    private var unsettled: SequenceRanges

    /// - Parameter unsettled: the numbers up to `last` that are not known to be in the log.
    init(last: UInt64, unsettled: SequenceRanges) {
        self.last = last
        self.lastBeforeCommit = last
        self.unsettled = unsettled
    }

    mutating func beginCommit() { lastBeforeCommit = last }

    /// Makes the chunk with the next number. Messages of one commit may reach a log in any order, and only some of them, so those of
    /// the same commit are unsettled, too.
    mutating func close(_ make: (_ sequence: UInt64) -> Chunk) -> Chunk {
        last += 1
        var chunk = make(last)
        chunk.unsettled = unsettled.coarsened(to: Limits.unsettledRanges)
        _ = unsettled.insert(last)
        return chunk
    }

    /// All chunks of the commit are in the log.
    mutating func settleCommit() {
        if let commit { unsettled.subtract(commit) }
    }

    /// None of the commit's chunks is in the log, nor ever will be: the numbers are free again.
    mutating func takeCommitBack() {
        settleCommit()
        last = lastBeforeCommit
    }

    /// This chunk is in the log.
    mutating func settle(_ sequence: UInt64) { unsettled.subtract(SequenceRanges(sequence...sequence)) }

    private var commit: SequenceRanges? {
        lastBeforeCommit < last ? SequenceRanges(lastBeforeCommit + 1...last) : nil
    }
}
