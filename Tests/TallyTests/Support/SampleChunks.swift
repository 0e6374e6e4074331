// SPDX-License-Identifier: Apache-2.0

import TallySimulator

@testable import TallyCore

/// Chunks for tests that don't care what is in them.
enum SampleChunks {
    static let node = NodeID(bits: 0x0123_4567_89AB_CDEF_0011_2233_4455_6677)
    static let other = NodeID(bits: 0xFEDC_BA98_7654_3210_8899_AABB_CCDD_EEFF)

    /// - Parameter entries: how many deltas; each makes the chunk about five bytes longer.
    static func chunk(_ sequence: UInt64, of node: NodeID = node, entries: Int = 1) -> Chunk {
        let minute = Minute(unixSeconds: 1_733_997_600)!
        let deltas = (0..<entries).map { index in
            Delta(
                banner: BannerID(Int64(index) + 1)!, kind: 0, minute: minute, count: Int64(sequence))
        }
        return Chunk(
            node: node, sequence: sequence, time: Timestamp(milliseconds: 1_733_997_600_000 + Int64(sequence)),
            kinds: [.click], deltas: deltas, identified: [])
    }

    static func chunks(_ sequences: ClosedRange<UInt64>, of node: NodeID = node, entries: Int = 1) -> [Chunk] {
        sequences.map { chunk($0, of: node, entries: entries) }
    }

    /// Any chunk that may be: the limits and the ends of the ranges come up often.
    static func random(using generator: inout SeededGenerator) -> Chunk {
        let long = String(repeating: "k", count: 32)
        let names = ["click", "click.bot", "impression", "a", "z9_", long, long + ".burst", "view", "buy"]
        let kinds = names.filter { _ in generator.chance(50) }.compactMap { Kind(stored: $0) }.sorted()
        var keys: Set<Delta> = []
        var identified: [IdentifiedDelta] = []
        if !kinds.isEmpty {
            for _ in 0..<Int.random(in: 0...12, using: &generator) {
                keys.insert(delta(kinds.count, using: &generator))
            }
            for _ in 0..<Int.random(in: 0...5, using: &generator) {
                let high = UInt128(generator.next()) << 64
                let id = EventID(bits: high | UInt128(generator.next()))
                identified.append(IdentifiedDelta(id: id, delta: delta(kinds.count, using: &generator)))
            }
        }
        var deltas: [Delta] = []
        for delta in keys.sorted(by: Chunk.areInOrder) {
            // The same key twice with different counts is none of a chunk's.
            if let last = deltas.last, !Chunk.areInOrder(last, delta) { continue }
            deltas.append(delta)
        }
        let sequence = number(upTo: Chunk.lastSequence - 1, using: &generator) + 1
        return Chunk(
            node: NodeID(bits: UInt128(generator.next()) << 64 | UInt128(generator.next())),
            sequence: sequence,
            time: Timestamp(milliseconds: Int64(number(upTo: UInt64(Int64.max), using: &generator))),
            kinds: kinds, deltas: deltas, identified: identified, sightings: sightings(using: &generator),
            unsettled: generator.chance(50) ? unsettled(below: sequence, using: &generator) : nil)
    }

    /// Often none, often the numbers next to the sequence.
    private static func unsettled(below sequence: UInt64, using generator: inout SeededGenerator) -> SequenceRanges {
        var numbers = SequenceRanges()
        guard sequence > 1, generator.chance(70) else { return numbers }
        for _ in 0..<Int.random(in: 1...90, using: &generator) {
            let distance = number(upTo: sequence - 2, using: &generator)
            _ = numbers.insert(sequence - 1 - distance)
        }
        return numbers.coarsened(to: Limits.unsettledRanges)
    }

    /// In most chunks none.
    private static func sightings(using generator: inout SeededGenerator) -> [Sighting] {
        guard generator.chance(30) else { return [] }
        return (0..<Int.random(in: 1...12, using: &generator)).map { _ in
            let day = Day(sinceEpoch: Int64(number(upTo: UInt64(Day.last.sinceEpoch), using: &generator)))!
            let mark = Sighting.Mark(
                register: UInt16(number(upTo: UInt64(VisitorSketch.registers) - 1, using: &generator)),
                rank: UInt8.random(in: 1...VisitorSketch.highestRank, using: &generator))
            return Sighting(mark, banner: banner(using: &generator), day: day)
        }.merged()
    }

    private static func banner(using generator: inout SeededGenerator) -> BannerID {
        BannerID(Int64(number(upTo: UInt64(Int64.max) - 1, using: &generator)) + 1)!
    }

    private static func delta(_ kinds: Int, using generator: inout SeededGenerator) -> Delta {
        let minute = Int64(number(upTo: UInt64(Minute.last.sinceEpoch), using: &generator))
        return Delta(
            banner: banner(using: &generator),
            kind: UInt8.random(in: 0..<UInt8(kinds), using: &generator), minute: Minute(sinceEpoch: minute)!,
            count: Int64(number(upTo: UInt64(Int64.max) - 1, using: &generator)) + 1)
    }

    /// Numbers of every length alike, and the two ends.
    private static func number(upTo most: UInt64, using generator: inout SeededGenerator) -> UInt64 {
        switch Int.random(in: 0..<10, using: &generator) {
        case 0: 0
        case 1: most
        default: min(most, generator.next() >> UInt64.random(in: 0..<64, using: &generator))
        }
    }
}
