// SPDX-License-Identifier: Apache-2.0

import TallyCore
import TallySimulator
import Testing

/// A log full of what can go wrong: repeated chunks, repeated ids, late minutes, clocks that jump, several nodes.
struct RandomLog {
    static let id = LogID("random-log")!
    private(set) var entries: [LogEntry] = []

    init(chunks: Int, using generator: inout SeededGenerator) {
        var sequences: [UInt64] = [0, 0, 0]
        var time: Int64 = 1_700_000_000_000
        var offset = 0
        for _ in 0..<chunks {
            offset += generator.chance(10) ? 3 : 1  // Offsets grow; they need not be consecutive.
            time += generator.chance(10) ? Int64.random(in: -1_200_000...1_200_000, using: &generator) : 4_000
            if generator.chance(10), let earlier = entries.randomElement(using: &generator) {
                var repeated = earlier.chunk
                repeated.time = Timestamp(milliseconds: time)
                entries.append(LogEntry(offset: LogOffset(Int64(offset)), chunk: repeated))
                continue
            }
            let node = Int.random(in: 0..<3, using: &generator)
            sequences[node] += generator.chance(5) ? 2 : 1
            let chunk = RandomLog.chunk(
                node: NodeID(bits: UInt128(node + 1)), sequence: sequences[node], time: time, using: &generator)
            entries.append(LogEntry(offset: LogOffset(Int64(offset)), chunk: chunk))
        }
    }

    /// Few registers, so that they are raised, and met again.
    private static func visitor(using generator: inout SeededGenerator) -> Sighting.Mark {
        Sighting.Mark(
            register: UInt16.random(in: 0..<4, using: &generator), rank: UInt8.random(in: 1...6, using: &generator))
    }

    private static func chunk(
        node: NodeID, sequence: UInt64, time: Int64, using generator: inout SeededGenerator
    ) -> Chunk {
        let kinds = [Kind.click, .impression, Kind("view")!]
        var builder = ChunkBuilder()
        for _ in 0..<Int.random(in: 0...6, using: &generator) {
            let late = generator.chance(20) ? Int64.random(in: 0...200, using: &generator) : 0
            let banner = BannerID(Int64.random(in: 1...4, using: &generator))!
            let kind = kinds.randomElement(using: &generator)!
            let name = generator.chance(40) ? "id-\(Int.random(in: 0..<12, using: &generator))" : nil
            let event = CountedEvent(
                banner: banner, kind: kind, minute: Minute(Timestamp(milliseconds: time)).advanced(by: -late),
                count: Int64.random(in: 1...5, using: &generator),
                id: name.map { EventID($0, banner: banner, kind: kind) },
                invalid: generator.chance(20) ? InvalidReason.allCases.randomElement(using: &generator) : nil,
                visitor: generator.chance(50) ? RandomLog.visitor(using: &generator) : nil)
            let added = builder.add(event)
            #expect(added)
        }
        return builder.chunk(node: node, sequence: sequence, time: Timestamp(milliseconds: time))
    }
}
