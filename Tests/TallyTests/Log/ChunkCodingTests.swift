// SPDX-License-Identifier: Apache-2.0

import TallySimulator
import Testing

@testable import TallyCore

/// The chunk that docs/chunk-format.md takes apart.
enum ChunkExample {
    static let chunk = Chunk(
        node: SampleChunks.node, sequence: 300, time: Timestamp(milliseconds: 1_733_997_600_123),
        kinds: [.click, .impression],
        deltas: [
            delta(42, kind: 0, minutes: 0, count: 3), delta(43, kind: 0, minutes: 0, count: 1),
            delta(42, kind: 0, minutes: 1, count: 200), delta(42, kind: 1, minutes: 0, count: 7),
        ],
        identified: [
            IdentifiedDelta(
                id: EventID(bits: 0xA0A1_A2A3_A4A5_A6A7_A8A9_AAAB_ACAD_AEAF),
                delta: delta(42, kind: 0, minutes: 0, count: 1))
        ])

    private static func delta(_ banner: Int64, kind: UInt8, minutes: Int64, count: Int64) -> Delta {
        let minute = Minute(unixSeconds: 1_733_997_600 + minutes * 60)!
        return Delta(banner: BannerID(banner)!, kind: kind, minute: minute, count: count)
    }
}

@Suite("The bytes of a chunk")
struct ChunkCodingTests {
    private func decoded(_ bytes: [UInt8]) throws(ChunkDecodingError) -> Chunk { try Chunk(decoding: bytes[...]) }

    @Test("are those of the example in docs/chunk-format.md")
    func example() throws {
        #expect(HexText.lines(of: ChunkExample.chunk.encoded()) == Self.example)
        #expect(try HexText.document("chunk-format.md").contains(Self.example))
        #expect(try decoded(ChunkExample.chunk.encoded()) == ChunkExample.chunk)
    }

    private static let example = """
        0000  01 77 66 55 44 33 22 11 00 ef cd ab 89 67 45 23
        0010  01 ac 02 fb ba be d2 bb 32 02 05 63 6c 69 63 6b
        0020  0a 69 6d 70 72 65 73 73 69 6f 6e 04 00 f0 e9 c7
        0030  1b 2a 03 00 00 01 01 00 02 2a c8 01 01 01 2a 07
        0040  01 af ae ad ac ab aa a9 a8 a7 a6 a5 a4 a3 a2 a1
        0050  a0 00 f0 e9 c7 1b 2a 01
        """

    @Test("of a server's chunk are those of the second example in docs/chunk-format.md")
    func serverExample() throws {
        let chunk = Chunk(
            node: SampleChunks.node, sequence: 300, time: Timestamp(milliseconds: 1_733_997_600_123), kinds: [.click],
            deltas: [ChunkExample.chunk.deltas[0]], identified: [],
            unsettled: SequenceRanges([17...17, 290...292, 299...299])!)
        #expect(HexText.lines(of: chunk.encoded()) == Self.serverExample)
        #expect(try HexText.document("chunk-format.md").contains(Self.serverExample))
        #expect(try decoded(chunk.encoded()) == chunk)
    }

    private static let serverExample = """
        0000  03 77 66 55 44 33 22 11 00 ef cd ab 89 67 45 23
        0010  01 ac 02 fb ba be d2 bb 32 01 05 63 6c 69 63 6b
        0020  01 00 f0 e9 c7 1b 2a 03 00 00 03 00 00 06 02 90
        0030  02 00
        """

    @Test("every chunk comes back as it was", arguments: 1...20 as ClosedRange<UInt64>)
    func roundTrip(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<100 {
            let chunk = SampleChunks.random(using: &generator)
            #expect(try decoded(chunk.encoded()) == chunk, "seed \(seed)")
        }
    }

    @Test("they are read from the middle of others")
    func slice() throws {
        let bytes = ChunkExample.chunk.encoded()
        let surrounded = [1, 2, 3] + bytes + [4, 5]
        #expect(try Chunk(decoding: surrounded[3..<3 + bytes.count]) == ChunkExample.chunk)
    }

    @Test("without any of their last ones they are no chunk")
    func truncations() {
        let bytes = ChunkExample.chunk.encoded()
        for count in 0..<bytes.count {
            #expect(throws: ChunkDecodingError.self, "\(count) bytes") { try decoded(Array(bytes[..<count])) }
        }
    }

    @Test("with others behind them they are no chunk")
    func trailingBytes() {
        #expect(throws: ChunkDecodingError.malformed("1 bytes after its end")) {
            try decoded(ChunkExample.chunk.encoded() + [0])
        }
    }

    @Test("of another version are not read", arguments: [UInt8(0), 4, 255])
    func unknownVersion(_ version: UInt8) {
        var bytes = ChunkExample.chunk.encoded()
        bytes[0] = version
        #expect(throws: ChunkDecodingError.unknownVersion(version)) { try decoded(bytes) }
    }

    @Test("when changed, are no chunk or another one in canonical form", arguments: 1...10 as ClosedRange<UInt64>)
    func changedBytes(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<300 {
            var bytes = SampleChunks.random(using: &generator).encoded()
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8(truncatingIfNeeded: generator.next())
            }
            // One chunk has one spelling: whatever is read is written the same way.
            if let chunk = try? decoded(bytes) { #expect(chunk.encoded() == bytes, "seed \(seed)") }
        }
    }

    @Test("of any kind never stop the process", arguments: 1...10 as ClosedRange<UInt64>)
    func anyBytes(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<1000 {
            let count = Int.random(in: 0...60, using: &generator)
            var bytes = (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
            if !bytes.isEmpty { bytes[0] = [1, 2, 3].randomElement(using: &generator)! }
            if let chunk = try? decoded(bytes) { #expect(chunk.encoded() == bytes, "seed \(seed)") }
        }
    }

    /// Everything before the kinds.
    private func head(sequence: UInt64 = 1, time: UInt64 = 0) -> ByteWriter {
        var writer = ByteWriter()
        writer.write(Chunk.version)
        writer.write(UInt128(5))
        writer.writeVariable(sequence)
        writer.writeVariable(time)
        return writer
    }

    /// A chunk of clicks with these entries, as they are.
    private func clicks(_ entries: [[UInt64]]) -> [UInt8] {
        var writer = head()
        writer.writeVariable(1)
        writer.write(UInt8(5))
        writer.write(contentsOf: "click".utf8)
        writer.writeVariable(UInt64(entries.count))
        for number in entries.joined() { writer.writeVariable(number) }
        writer.writeVariable(0)
        return writer.bytes
    }

    @Test("with a sequence or a time out of range are no chunk")
    func ranges() throws {
        func chunk(_ head: ByteWriter) -> [UInt8] { head.bytes + [0, 0, 0] }
        #expect(try decoded(chunk(head(sequence: Chunk.lastSequence))).sequence == Chunk.lastSequence)
        for sequence in [0, Chunk.lastSequence + 1, .max] {
            #expect(throws: ChunkDecodingError.malformed("a sequence out of range")) {
                try decoded(chunk(head(sequence: sequence)))
            }
        }
        #expect(throws: ChunkDecodingError.malformed("a time beyond 64 bits")) {
            try decoded(chunk(head(time: 1 << 63)))
        }
    }

    @Test("with entries that can't be are no chunk")
    func entries() throws {
        #expect(try decoded(clicks([[0, 0, 1, 1], [0, 0, 1, 1]])).deltas.map(\.banner.value) == [1, 2])
        let farMinute = UInt64(Minute.last.sinceEpoch) * 2 + 2
        let beyond: UInt64 = 1 << 63
        let lastBanner = UInt64(Int64.max)
        let wrong: [(entries: [[UInt64]], text: String)] = [
            ([[1, 0, 1, 1]], "an unknown kind"),
            ([[.max, 0, 1, 1]], "an unknown kind"),
            ([[0, 1, 1, 1]], "a minute out of range"),
            ([[0, farMinute, 1, 1]], "a minute out of range"),
            ([[0, 0, 0, 1]], "a banner id out of range"),
            ([[0, 0, beyond, 1]], "a banner id out of range"),
            ([[0, 0, 1, 0]], "a count out of range"),
            ([[0, 0, 1, beyond]], "a count out of range"),
            ([[0, 0, 1, 1], [0, 0, 0, 1]], "deltas out of order"),
            ([[0, 2, 1, 1], [0, 1, 1, 1]], "deltas out of order"),
            ([[0, 0, 1, 1], [0, 0, lastBanner, 1]], "a number beyond 64 bits"),
        ]
        for (entries, text) in wrong {
            #expect(throws: ChunkDecodingError.malformed(text), "\(entries)") { try decoded(clicks(entries)) }
        }
    }

    @Test("with kinds that are none, twice there or out of order are no chunk")
    func kinds() throws {
        func chunk(_ kinds: [String]) -> [UInt8] {
            var writer = head()
            writer.writeVariable(UInt64(kinds.count))
            for kind in kinds {
                writer.write(UInt8(kind.utf8.count))
                writer.write(contentsOf: kind.utf8)
            }
            return writer.bytes + [0, 0]
        }
        #expect(try decoded(chunk(["a", "ab", "b"])).kinds.count == 3)
        for kinds in [["a", "a"], ["b", "a"], ["ab", "a"]] {
            #expect(throws: ChunkDecodingError.malformed("kinds out of order")) { try decoded(chunk(kinds)) }
        }
        for kind in ["", "A", "1a", "a-b", String(repeating: "a", count: 33), "ä"] {
            #expect(throws: ChunkDecodingError.self, "\(kind)") { try decoded(chunk([kind])) }
        }
    }

    @Test("that promise more than the limits allow are refused before they are read")
    func limits() {
        func chunk(kinds: UInt64, deltas: UInt64, identified: UInt64) -> [UInt8] {
            var writer = head()
            for number in [kinds, deltas, identified] { writer.writeVariable(number) }
            return writer.bytes
        }
        #expect(throws: ChunkDecodingError.self) {
            try decoded(chunk(kinds: 257, deltas: 0, identified: 0))
        }
        #expect(throws: ChunkDecodingError.malformed("100001 deltas")) {
            try decoded(chunk(kinds: 0, deltas: 100_001, identified: 0))
        }
        #expect(throws: ChunkDecodingError.malformed("\(UInt64.max) identified events")) {
            try decoded(chunk(kinds: 0, deltas: 0, identified: .max))
        }
    }

    /// A chunk of nothing but sightings: each as day, banner, register (each less the one before) and rank.
    private func sightings(_ count: UInt64, _ entries: [[UInt64]]) -> [UInt8] {
        var writer = head()
        for number in [0, 0, 0, count] as [UInt64] { writer.writeVariable(number) }
        for entry in entries {
            for number in entry.dropLast() { writer.writeVariable(number) }
            writer.write(UInt8(entry[3]))
        }
        return [Chunk.versionWithSightings] + writer.bytes.dropFirst()
    }

    @Test("with sightings they are of version 2, and those are in order and in range")
    func sightingRanges() throws {
        // A signed number is written as twice itself.
        let chunk = try decoded(sightings(4, [[40, 7, 3, 1], [0, 0, 1, 55], [0, 2, 0, 1], [2, 1, 1_023, 9]]))
        #expect(
            chunk.sightings.map { "\($0.place.day.sinceEpoch) \($0.place.banner) \($0.place.register) \($0.rank)" } == [
                "20 7 3 1", "20 7 4 55", "20 9 0 1", "21 1 1023 9",
            ])
        #expect(throws: ChunkDecodingError.malformed("0 sightings")) { try decoded(sightings(0, [])) }
        #expect(throws: ChunkDecodingError.malformed("100001 sightings")) { try decoded(sightings(100_001, [])) }
        let tooFar = UInt64(Day.last.sinceEpoch) * 2
        for wrong in [
            [40, 7, 1_024, 1], [40, 7, 0, 0], [40, 7, 0, 56], [40, 0, 0, 1], [1, 7, 0, 1], [tooFar + 2, 7, 0, 1],
        ] {
            #expect(throws: ChunkDecodingError.malformed("a sighting out of range")) {
                try decoded(sightings(1, [wrong]))
            }
        }
        for second in [[0, 0, 0, 2], [1, 9, 9, 1]] as [[UInt64]] {
            #expect(throws: ChunkDecodingError.malformed("sightings out of order")) {
                try decoded(sightings(2, [[40, 7, 3, 1], second]))
            }
        }
        #expect(try decoded(sightings(1, [[tooFar, UInt64(Int64.max), 0, 1]])).sightings[0].place.day == .last)
        #expect(throws: ChunkDecodingError.malformed("it ends early or holds a malformed integer")) {
            try decoded([Chunk.versionWithSightings] + ChunkExample.chunk.encoded().dropFirst())
        }
    }

    /// A chunk of nothing but unsettled sequences, below sequence 100: each range as gap and length.
    private func unsettled(_ count: UInt64, _ entries: [[UInt64]]) -> [UInt8] {
        var writer = head(sequence: 100)
        for number in [0, 0, 0, 0, count] as [UInt64] { writer.writeVariable(number) }
        for number in entries.joined() { writer.writeVariable(number) }
        return [Chunk.versionWithUnsettled] + writer.bytes.dropFirst()
    }

    @Test("with unsettled sequences they are of version 3, and those are in order and in range")
    func unsettledRanges() throws {
        #expect(try decoded(unsettled(0, [])).unsettled == SequenceRanges())
        #expect(try decoded(unsettled(1, [[0, 98]])).unsettled == SequenceRanges(1...99))
        // 99 and 98; 97 is settled; 96; from 95 to 2 all are settled; 1.
        let chunk = try decoded(unsettled(3, [[0, 1], [1, 0], [94, 0]]))
        #expect(chunk.unsettled == SequenceRanges([1...1, 96...96, 98...99])!)
        for wrong in [[0, 99], [99, 0], [0, .max], [.max, 0], [98, 1]] as [[UInt64]] {
            #expect(throws: ChunkDecodingError.malformed("an unsettled sequence out of range")) {
                try decoded(unsettled(1, [wrong]))
            }
        }
        #expect(throws: ChunkDecodingError.malformed("ranges of unsettled sequences that touch")) {
            try decoded(unsettled(2, [[0, 0], [0, 0]]))
        }
        #expect(throws: ChunkDecodingError.malformed("65 ranges of unsettled sequences")) {
            try decoded(unsettled(65, []))
        }
    }

    @Test("are never more than the chunk says", arguments: 1...10 as ClosedRange<UInt64>)
    func bound(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            let chunk = SampleChunks.random(using: &generator)
            #expect(chunk.encoded().count <= chunk.mostBytes, "seed \(seed)")
        }
    }

    @Test("the largest chunk that a node makes is within the limit")
    func largestChunk() throws {
        let banner = try #require(BannerID(Int64.max))
        let id = EventID(bits: .max)
        let entries = (0..<Limits.chunkEntries).map { index in
            let minute: Minute = index % 2 == 0 ? .first : .last
            return IdentifiedDelta(id: id, delta: Delta(banner: banner, kind: 0, minute: minute, count: .max))
        }
        let chunk = Chunk(
            node: SampleChunks.node, sequence: Chunk.lastSequence, time: Timestamp(milliseconds: .max), kinds: [.click],
            deltas: [], identified: entries,
            unsettled: SequenceRanges((1...UInt64(Limits.unsettledRanges)).map { $0 << 56...$0 << 56 + 1 << 54 }))
        #expect(chunk.unsettled != nil)
        #expect(chunk.encoded().count <= Limits.chunkBytes)
    }
}
