// SPDX-License-Identifier: Apache-2.0

import TallySimulator
import Testing

@testable import TallyCore

@Suite("Which chunks of a log are missing")
struct SequenceLedgerTests {
    private static let node = SampleChunks.node

    private func chunk(_ sequence: UInt64, unsettled: [ClosedRange<UInt64>]?, of node: NodeID = node) -> Chunk {
        var chunk = SampleChunks.chunk(sequence, of: node)
        chunk.unsettled = unsettled.map { SequenceRanges($0)! }
        return chunk
    }

    private func missing(_ numbers: ClosedRange<UInt64>...) -> [NodeID: SequenceRanges] {
        numbers.isEmpty ? [:] : [Self.node: SequenceRanges(numbers)!]
    }

    @Test("a hole that a server's chunk does not declare is missing, until its chunks arrive")
    func hole() {
        var ledger = SequenceLedger()
        _ = ledger.add(chunk(1, unsettled: []), skipsOffsets: false)
        _ = ledger.add(chunk(5, unsettled: []), skipsOffsets: false)
        #expect(ledger.missing == missing(2...4))
        _ = ledger.add(chunk(3, unsettled: [2...2]), skipsOffsets: false)
        #expect(ledger.missing == missing(2...2, 4...4))
        _ = ledger.add(chunk(2, unsettled: []), skipsOffsets: false)
        _ = ledger.add(chunk(4, unsettled: []), skipsOffsets: false)
        #expect(ledger.missing.isEmpty)
        #expect(ledger.counted == [Self.node: SequenceRanges(1...5)])
    }

    @Test("what a chunk declares is not missing, and a later declaration does not excuse an older hole")
    func declared() {
        var ledger = SequenceLedger()
        _ = ledger.add(chunk(6, unsettled: [1...3]), skipsOffsets: false)
        #expect(ledger.missing == missing(4...5))
        _ = ledger.add(chunk(7, unsettled: [1...5]), skipsOffsets: false)
        #expect(ledger.missing == missing(4...5))
        _ = ledger.add(chunk(8, unsettled: [2...5]), skipsOffsets: false)
        #expect(ledger.missing == missing(1...1, 4...5), "1 is settled by now")
    }

    @Test("chunks of clients and of older versions say nothing of the others")
    func withoutAssertion() {
        var ledger = SequenceLedger()
        for sequence in [9, 1_000, 4] as [UInt64] {
            _ = ledger.add(chunk(sequence, unsettled: nil), skipsOffsets: true)
        }
        #expect(ledger.missing.isEmpty)
    }

    @Test("a confirmed loss is missing no more and stays confirmed; the chunk counts if it arrives all the same")
    func confirmed() {
        var ledger = SequenceLedger()
        _ = ledger.add(chunk(5, unsettled: []), skipsOffsets: false)
        ledger.confirm([Self.node: SequenceRanges(1...3), SampleChunks.other: SequenceRanges(8...8)])
        #expect(ledger.missing == missing(4...4))
        ledger.confirm(missing(4...4))
        #expect(ledger.missing.isEmpty)
        _ = ledger.add(chunk(6, unsettled: []), skipsOffsets: false)
        #expect(ledger.missing.isEmpty)
        #expect(ledger.confirmed[Self.node] == SequenceRanges(1...4))
        let isNew = ledger.add(chunk(2, unsettled: [1...1]), skipsOffsets: false)
        #expect(isNew)
        let isNewAgain = ledger.add(chunk(2, unsettled: [1...1]), skipsOffsets: false)
        #expect(!isNewAgain)
    }

    @Test("it goes on where a checkpoint ends")
    func checkpoint() {
        var ledger = SequenceLedger(counted: missing(1...4, 7...7), confirmed: missing(5...5))
        _ = ledger.add(chunk(8, unsettled: []), skipsOffsets: false)
        #expect(ledger.missing == missing(6...6))
    }

    @Test("in a journal a hole behind skipped offsets was confirmed by the repair, and one elsewhere was not")
    func repairedJournal() {
        for explains in [true, false] {
            var ledger = SequenceLedger(explainsSkippedOffsets: explains)
            _ = ledger.add(chunk(1, unsettled: []), skipsOffsets: false)
            // A client's chunk stands between the gap and the next chunk of the server.
            _ = ledger.add(chunk(40, unsettled: nil, of: SampleChunks.other), skipsOffsets: true)
            _ = ledger.add(chunk(4, unsettled: []), skipsOffsets: false)
            #expect(ledger.missing == (explains ? [:] : missing(2...3)))
            #expect(ledger.confirmed == (explains ? missing(2...3) : [:]))
            _ = ledger.add(chunk(6, unsettled: []), skipsOffsets: false)
            #expect(ledger.missing == (explains ? missing(5...5) : missing(2...3, 5...5)))
        }
    }

    /// The plain rule, over sets of numbers.
    private struct Reference {
        var counted: Set<UInt64> = []
        var confirmed: Set<UInt64> = []
        var asserted: Set<UInt64> = []
        var missing: Set<UInt64> { asserted.subtracting(counted).subtracting(confirmed) }

        mutating func add(_ sequence: UInt64, unsettled: Set<UInt64>?) {
            guard counted.insert(sequence).inserted, let unsettled else { return }
            // What was confirmed, or has arrived, when it was asserted is never asked for again.
            asserted.formUnion(Set(1..<sequence).subtracting(unsettled))
        }
    }

    @Test("any chunks in any order leave missing what the plain rule says", arguments: 0..<200 as Range<UInt64>)
    func plainRule(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var ledger = SequenceLedger()
        var reference = Reference()
        for _ in 0..<60 {
            let sequence = UInt64.random(in: 1...30, using: &generator)
            if generator.chance(10) {
                reference.confirmed.insert(sequence)
                ledger.confirm(missing(sequence...sequence))
                continue
            }
            let unsettled = Set((1...30 as ClosedRange<UInt64>).filter { $0 < sequence && generator.chance(60) })
            let asserts = generator.chance(70)
            reference.add(sequence, unsettled: asserts ? unsettled : nil)
            var ranges = SequenceRanges()
            for number in unsettled { _ = ranges.insert(number) }
            let next = chunk(sequence, unsettled: asserts ? ranges.ranges : nil)
            _ = ledger.add(next, skipsOffsets: generator.chance(50))
            let numbers = ledger.missing[Self.node]?.ranges.flatMap { $0 } ?? []
            #expect(Set(numbers) == reference.missing, "seed \(seed)")
            #expect(ledger.missing.values.allSatisfy { !$0.isEmpty })
        }
    }
}
