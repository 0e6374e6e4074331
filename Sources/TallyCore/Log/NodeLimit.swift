// SPDX-License-Identifier: Apache-2.0

/// Bounds what is remembered of other nodes' chunks: which sequences of each node were counted. Each node, and each gap in the
/// sequences of one, is one more range, for good.
package struct NodeLimit: Sendable {
    package let maximumRanges: Int
    private var sequences: [NodeID: SequenceRanges]
    private var rangeCount: Int

    /// - Parameter sequences: of other nodes, that are remembered already.
    package init(maximumRanges: Int, sequences: [NodeID: SequenceRanges] = [:]) {
        self.maximumRanges = maximumRanges
        self.sequences = sequences
        rangeCount = sequences.values.reduce(0) { $0 + $1.ranges.count }
    }

    /// Whether the chunk may be counted: it was before, continues its node's sequences, or there is room for one more range.
    package func admits(_ chunk: ChunkName) -> Bool {
        if rangeCount < maximumRanges { return true }
        guard let known = sequences[chunk.node] else { return false }
        return known.contains(chunk.sequence) || known.contains(chunk.sequence - 1)
            || (chunk.sequence < .max && known.contains(chunk.sequence + 1))
    }

    /// The chunk is going to be in the log.
    package mutating func note(_ chunk: ChunkName) {
        let before = sequences[chunk.node]?.ranges.count ?? 0
        _ = sequences[chunk.node, default: SequenceRanges()].insert(chunk.sequence)
        rangeCount += (sequences[chunk.node]?.ranges.count ?? 0) - before
    }
}
