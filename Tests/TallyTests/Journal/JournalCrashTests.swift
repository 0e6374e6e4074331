// SPDX-License-Identifier: Apache-2.0

import TallySimulator
import Testing

@testable import TallyCore

@Suite("A journal that crashes again and again")
struct JournalCrashTests {
    @Test("everything acknowledged is there, in order and unchanged", arguments: 1...30 as ClosedRange<UInt64>)
    func everythingAcknowledgedIsThere(seed: UInt64) throws {
        var run = CrashingJournal(seed: seed)
        for round in 1...20 {
            try run.appendUntilPowerLoss()
            try run.recover(round: round)
        }
        #expect(run.acknowledged > 50, "seed \(seed): the run did too little to show anything")
    }

    @Test("a batch over many segments that was cut short is taken back to its whole chunks")
    func crashWithinALargeBatch() throws {
        let base = JournalBench(segmentBytes: 512)
        _ = try base.open().append(SampleChunks.chunks(1...10))
        for calls in 0...60 {
            for seed in 1...6 as ClosedRange<UInt64> {
                let bench = JournalBench(disk: base.disk.copy(), segmentBytes: 512)
                var generator = SeededGenerator(seed: seed &* 1000 + UInt64(calls))
                let journal = try bench.open()
                bench.disk.callsUntilPowerLoss = calls
                let isDone = (try? journal.append(SampleChunks.chunks(11...60))) != nil
                bench.disk.crash(using: &generator)
                let sequences = try bench.open().sequences
                #expect(sequences == Array(1...UInt64(sequences.count)), "seed \(seed), \(calls) calls")
                #expect(sequences.count >= 10 && (!isDone || sequences.count == 60), "seed \(seed), \(calls) calls")
                #expect(try bench.verify().damages == [])
            }
        }
    }
}

/// A journal, what it must hold, and the chance that decides what happens to it.
private struct CrashingJournal {
    private let seed: UInt64
    private var generator: SeededGenerator
    private let bench = JournalBench(segmentBytes: 1024)
    /// By offset, from `first` on.
    private var expected: [LogEntry] = []
    /// Given to an append that did not return: none, or the first few of them may be there.
    private var uncertain: [Chunk] = []
    private var first = LogOffset(1)
    private var sequence: UInt64 = 0
    private(set) var acknowledged = 0

    init(seed: UInt64) {
        self.seed = seed
        generator = SeededGenerator(seed: seed)
    }

    mutating func appendUntilPowerLoss() throws {
        bench.disk.capacity = generator.chance(30) ? Int.random(in: 1...40, using: &generator) * 1024 : .max
        guard let journal = try? bench.open() else {
            #expect(bench.disk.capacity < .max, "seed \(seed): only a full disk may keep it from opening")
            return
        }
        bench.disk.callsUntilPowerLoss = Int.random(in: 0...60, using: &generator)
        var isOn = true
        while isOn { isOn = try step(journal) }
    }

    /// - Returns: false when the machine is off.
    private mutating func step(_ journal: Journal) throws -> Bool {
        generator.chance(5) ? trim(journal) : try append(to: journal)
    }

    private mutating func trim(_ journal: Journal) -> Bool {
        let offset = LogOffset(Int64.random(in: 0...journal.lastOffset.value + 1, using: &generator))
        let isOn = (try? journal.trim(before: offset)) != nil
        first = isOn ? journal.firstOffset : max(first, offset)
        return isOn
    }

    private mutating func append(to journal: Journal) throws -> Bool {
        let count = generator.chance(10) ? 40 : UInt64.random(in: 1...4, using: &generator)
        let entries = generator.chance(10) ? 300 : Int.random(in: 0...20, using: &generator)
        let chunks = SampleChunks.chunks(sequence + 1...sequence + count, entries: entries)
        switch Result(catching: { () throws(LogError) in try journal.append(chunks) }) {
        case .success(let offsets):
            expected += zip(offsets, chunks).map { LogEntry(offset: $0, chunk: $1) }
            sequence += count
            acknowledged += offsets.count
            return true
        case .failure(.refused): return bench.disk.hasPower
        case .failure(.failed):
            uncertain = chunks
            return false
        case .failure(let error): throw error
        }
    }

    mutating func recover(round: Int) throws {
        if generator.chance(30) {
            bench.disk.restartProcess()
        } else {
            bench.disk.crash(using: &generator)
        }
        // The recovery may be hit too.
        while generator.chance(40) {
            bench.disk.callsUntilPowerLoss = Int.random(in: 0...6, using: &generator)
            _ = try? bench.open()
            bench.disk.crash(using: &generator)
        }
        bench.disk.capacity = .max
        let journal = try bench.open()
        let found = try journal.readAll(from: journal.firstOffset.value)
        let place: Comment = "seed \(seed), round \(round)"
        #expect(journal.firstOffset <= first, place)
        first = journal.firstOffset

        let known = expected.filter { $0.offset >= first }
        let kept = Array(found.prefix(known.count))
        #expect(kept == known, place)
        let added = found.dropFirst(known.count)
        #expect(added.map(\.chunk) == Array(uncertain.prefix(added.count)), place)
        #expect(found.map(\.offset.value) == Array(first.value..<first.value + Int64(found.count)), place)

        // What is there now was read by someone: it must stay.
        expected = found
        sequence = found.last?.chunk.sequence ?? sequence
        #expect(journal.lastSequence == sequence, place)
        uncertain = []
        bench.disk.loseUnsynced()
        #expect(try bench.open().readAll(from: first.value) == found, place)
        #expect(try bench.verify().damages == [], place)
    }
}
