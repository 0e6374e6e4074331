// SPDX-License-Identifier: Apache-2.0

import TallyCore
import TallySimulator
import Testing

@Suite("The bytes of a checkpoint")
struct CheckpointCodingTests {
    private func random(seed: UInt64) -> Checkpoint {
        var random = SeededGenerator(seed: seed)
        let sequences = numbersByNode(using: &random)
        let confirmed = random.isTrue(oneIn: 2) ? numbersByNode(using: &random) : [:]
        let settings = CountingSettings(
            windowMilliseconds: random.number(0...1 << 40), windowLimit: Int(random.number(0...1 << 40)),
            lateMinutes: random.number(0...20_000))
        let upTo = LogOffset(random.number(0...1 << 40))
        return Checkpoint(
            upTo: upTo, readFrom: LogOffset(random.number(1...upTo.next.value)),
            timeBefore: Timestamp(milliseconds: random.number(0...1 << 45)),
            lastMinute: random.isTrue(oneIn: 3)
                ? nil : [.first, .last, StoreTest.minute(5)].randomElement(using: &random),
            kinds: Array(StoreTest.kinds.shuffled(using: &random).prefix(Int(random.number(0...3)))),
            sequences: sequences, confirmedMissing: confirmed, settings: random.isTrue(oneIn: 3) ? nil : settings)
    }

    private func numbersByNode(using random: inout SeededGenerator) -> [NodeID: SequenceRanges] {
        var sequences: [NodeID: SequenceRanges] = [:]
        for node in 0..<random.number(0...4) {
            var numbers = SequenceRanges()
            for _ in 0..<random.number(0...30) { _ = numbers.insert(UInt64(random.number(1...60))) }
            if random.isTrue(oneIn: 5) { _ = numbers.insert(Chunk.lastSequence) }
            sequences[NodeID(bits: UInt128(random.next()) << 64 | UInt128(node))] = numbers
        }
        return sequences
    }

    @Test("any checkpoint comes back")
    func anyCheckpointComesBack() throws {
        #expect(try Checkpoint(decoding: Checkpoint.start.encoded()) == .start)
        for seed in UInt64(1)...200 {
            let checkpoint = random(seed: seed)
            #expect(try Checkpoint(decoding: checkpoint.encoded()) == checkpoint, "seed \(seed)")
        }
    }

    @Test("a checkpoint of version 1 is read, without confirmations and settings")
    func versionOneIsRead() throws {
        for seed in UInt64(1)...50 {
            var checkpoint = random(seed: seed)
            checkpoint.confirmedMissing = [:]
            checkpoint.settings = nil
            // No confirmed chunks and no settings are the two zero bytes that version 1 lacks.
            let bytes = [1] + checkpoint.encoded().dropFirst().dropLast(2)
            #expect(try Checkpoint(decoding: bytes) == checkpoint, "seed \(seed)")
            #expect(throws: StoreError.self) { try Checkpoint(decoding: bytes + [0, 0]) }
        }
    }

    @Test("settings that can't be are refused")
    func impossibleSettingsAreRefused() {
        let none = Array(Checkpoint.start.encoded().dropLast())
        #expect(throws: StoreError.self) { try Checkpoint(decoding: none + [2]) }
        for place in 0..<3 {
            var writer = ByteWriter()
            for index in 0..<3 { writer.writeVariable(index == place ? 1 << 63 : 5) }
            #expect(throws: StoreError.self) { try Checkpoint(decoding: none + [1] + writer.bytes) }
        }
    }

    @Test("the same checkpoint has the same bytes, whatever the order of its nodes")
    func bytesDoNotDependOnOrder() {
        let nodes = (1...50).map { NodeID(bits: $0) }
        var forwards = Checkpoint.start
        var backwards = Checkpoint.start
        for node in nodes { forwards.sequences[node] = SequenceRanges([1...3]) }
        for node in nodes.reversed() { backwards.sequences[node] = SequenceRanges([1...3]) }
        #expect(forwards.encoded() == backwards.encoded())
    }

    @Test("bytes that are cut off, prolonged or of another version are refused")
    func damagedBytesAreRefused() {
        for seed in UInt64(1)...20 {
            let bytes = random(seed: seed).encoded()
            for length in 0..<bytes.count {
                #expect(throws: StoreError.self, "seed \(seed), \(length) bytes") {
                    try Checkpoint(decoding: Array(bytes.prefix(length)))
                }
            }
            #expect(throws: StoreError.self) { try Checkpoint(decoding: bytes + [0]) }
            #expect { try Checkpoint(decoding: [9] + bytes.dropFirst()) } throws: {
                ($0 as? StoreError)?.description.contains("version 9") == true
            }
        }
    }

    @Test("sequence numbers and minutes that can't be are refused")
    func impossibleValuesAreRefused() {
        var writer = ByteWriter()
        writer.write(Checkpoint.version)
        for value in [5, 1, 0] as [UInt64] { writer.writeVariable(value) }
        var ofMinute = writer
        ofMinute.writeVariable(UInt64(Minute.last.sinceEpoch) + 2)
        for _ in ["kinds", "nodes"] { ofMinute.writeVariable(0) }
        #expect(throws: StoreError.self) { try Checkpoint(decoding: ofMinute.bytes) }
        for (first, more) in [(Chunk.lastSequence, 1), (1, .max), (.max, .max), (0, 3)] as [(UInt64, UInt64)] {
            var ofSequence = writer
            // No last minute, no kinds, one node.
            for value in [0, 0, 1] as [UInt64] { ofSequence.writeVariable(value) }
            ofSequence.write(UInt128(7))
            for value in [1, first, more] { ofSequence.writeVariable(value) }
            #expect(throws: StoreError.self) { try Checkpoint(decoding: ofSequence.bytes) }
        }
    }

    @Test("a beginning before the first offset, and a kind that stands there twice, are refused")
    func otherImpossibleValues() {
        var early = Checkpoint.start
        early.readFrom = LogOffset(0)
        #expect(throws: StoreError.self) { try Checkpoint(decoding: early.encoded()) }
        var twice = Checkpoint.start
        twice.kinds = [.click, .impression, .click]
        #expect(throws: StoreError.self) { try Checkpoint(decoding: twice.encoded()) }
    }

    @Test("random bytes never trap")
    func randomBytesNeverTrap() {
        for seed in UInt64(1)...3_000 {
            var random = SeededGenerator(seed: seed)
            var bytes = self.random(seed: seed % 20 + 1).encoded()
            for _ in 0..<random.number(1...4) {
                bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            guard let read = try? Checkpoint(decoding: bytes) else { continue }
            #expect(read.readFrom <= read.upTo.next, "seed \(seed)")
        }
    }
}
