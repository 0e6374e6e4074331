// SPDX-License-Identifier: Apache-2.0

import TallyCore
import TallySimulator
import Testing

struct NodeLimitTests {
    private func chunk(_ node: UInt128, _ sequence: UInt64) -> ChunkName {
        ChunkName(node: NodeID(bits: node), sequence: sequence)
    }

    @Test func `known nodes go on at the limit, new nodes and gaps are refused`() {
        var limit = NodeLimit(
            maximumRanges: 3,
            sequences: [NodeID(bits: 1): SequenceRanges(1...4), NodeID(bits: 2): SequenceRanges(7...7)])
        #expect(limit.admits(chunk(3, 1)))
        limit.note(chunk(3, 1))
        #expect(!limit.admits(chunk(4, 1)), "a fourth node")
        #expect(!limit.admits(chunk(1, 6)), "a gap")
        for known in [chunk(1, 2), chunk(1, 5), chunk(2, 6), chunk(2, 8), chunk(3, 2)] {
            #expect(limit.admits(known), "\(known)")
        }
        // A gap that is filled makes room.
        var gaps = NodeLimit(maximumRanges: 2)
        gaps.note(chunk(1, 1))
        gaps.note(chunk(1, 3))
        #expect(!gaps.admits(chunk(2, 1)))
        gaps.note(chunk(1, 2))
        #expect(gaps.admits(chunk(2, 1)))
        gaps.note(chunk(1, .max))
        #expect(gaps.admits(chunk(1, .max)) && gaps.admits(chunk(1, .max - 1)))
    }

    @Test(arguments: [UInt64(1), 2, 3, 4])
    func `ranges are never more than the limit while only what is admitted is noted`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var limit = NodeLimit(maximumRanges: 10)
        var sequences: [NodeID: SequenceRanges] = [:]
        for _ in 0..<3_000 {
            let name = chunk(UInt128(random.number(1...4)), UInt64(random.number(1...60)))
            guard limit.admits(name) else { continue }
            limit.note(name)
            _ = sequences[name.node, default: SequenceRanges()].insert(name.sequence)
            #expect(sequences.values.reduce(0) { $0 + $1.ranges.count } <= 10, "seed \(seed)")
        }
    }
}
