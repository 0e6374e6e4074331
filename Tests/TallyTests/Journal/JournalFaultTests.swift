// SPDX-License-Identifier: Apache-2.0

import TallySimulator
import Testing

@testable import TallyCore

@Suite("A journal on a disk that fails")
struct JournalFaultTests {
    private let bench = JournalBench()

    @Test("no space for a segment refuses the batch, leaves no trace, and later works")
    func fullThenSpace() throws {
        let journal = try bench.open()
        _ = try journal.append(SampleChunks.chunks(1...3))
        let before = bench.disk.contents
        bench.disk.capacity = 3 * 4096
        // Needs more segments than there is room for; some of them are made before that shows.
        #expect(throws: LogError.refused("the disk is full: no room for \(JournalBench.name(180)).new")) {
            try journal.append(SampleChunks.chunks(4...400))
        }
        #expect(bench.disk.contents == before)
        #expect(journal.lastOffset == LogOffset(3))
        #expect(journal.lastSequence == 3)
        #expect(try journal.append([SampleChunks.chunk(4)]) == [LogOffset(4)])
        bench.disk.capacity = .max
        #expect(try journal.append(SampleChunks.chunks(5...400)) == LogOffset.all(5...400))
        bench.disk.loseUnsynced()
        #expect(try bench.open().sequences == Array(1...400))
    }

    @Test("no space while writing takes back what was written", arguments: [1, 2])
    func fullWhileWriting(write: Int) throws {
        let journal = try bench.open()
        _ = try journal.append(SampleChunks.chunks(1...3))
        let before = bench.disk.contents
        // The batch makes one segment, whose header is the first write.
        bench.disk.faults[.write] = [bench.disk.calls[.write, default: 0] + 1 + write: .full("no block")]
        #expect(throws: LogError.refused("the disk is full: no block")) {
            try journal.append(SampleChunks.chunks(4...100))
        }
        #expect(bench.disk.contents == before)
        bench.disk.loseUnsynced()
        #expect(try bench.open().sequences == [1, 2, 3])
    }

    @Test("no space for a large first chunk leaves an empty journal that can be used", arguments: [1, 2])
    func fullForLargeFirstChunk(write: Int) throws {
        let journal = try bench.open()
        let large = SampleChunks.chunk(1, entries: 5000)
        bench.disk.faults[.write] = [bench.disk.calls[.write, default: 0] + write: .full("no block")]
        #expect(throws: LogError.refused("the disk is full: no block")) { try journal.append([large]) }
        bench.disk.loseUnsynced()
        #expect(try bench.open().sequences == [])
        #expect(try journal.append([SampleChunks.chunk(1)]) == [LogOffset(1)])
        #expect(try journal.append([large]) == [LogOffset(2)])
        #expect(try bench.open().readAll().map(\.chunk) == [SampleChunks.chunk(1), large])
    }

    @Test("what was refused does not come back, even if the machine stops at once")
    func refusedStaysAway() throws {
        let journal = try bench.open()
        _ = try journal.append([SampleChunks.chunk(1)])
        bench.disk.failNext(.write, with: .full("no block"))
        #expect(throws: LogError.self) { try journal.append(SampleChunks.chunks(2...20)) }
        for seed in 1...50 as ClosedRange<UInt64> {
            var generator = SeededGenerator(seed: seed)
            let disk = bench.disk.copy()
            disk.crash(using: &generator)
            #expect(try JournalBench(disk: disk).open().sequences == [1], "seed \(seed)")
        }
        _ = try journal.append([SampleChunks.chunk(2, entries: 3)])
        #expect(try bench.open().sequences == [1, 2])
    }

    @Test("a failed sync is final, though the next would succeed")
    func failedSync() throws {
        let journal = try bench.open()
        _ = try journal.append([SampleChunks.chunk(1)])
        bench.disk.failNext(.sync, with: .failed("input/output error"))
        let failure = LogError.failed(
            "the journal stopped, since the state of its disk is unknown: input/output error. "
                + "Restart when the disk is sound")
        let calls = bench.disk.calls[.write, default: 0]
        for sequence in 2...4 as ClosedRange<UInt64> {
            #expect(throws: failure) { try journal.append([SampleChunks.chunk(sequence)]) }
        }
        #expect(throws: failure) { try journal.trim(before: LogOffset(1)) }
        #expect(bench.disk.calls[.write] == calls + 1)
        #expect(try journal.sequences == [1])
        #expect(journal.lastOffset == LogOffset(1))
        bench.disk.loseUnsynced()
        #expect(try bench.open().sequences == [1])
    }

    @Test(
        "a segment that can't be made refuses the batch, and the next one is taken",
        arguments: [SimulatedDisk.Call.create, .write, .sync])
    func noNewSegment(call: SimulatedDisk.Call) throws {
        let journal = try bench.open()
        _ = try journal.append(SampleChunks.chunks(1...3))
        let before = bench.disk.contents
        bench.disk.failNext(call, with: .failed("too many open files"))
        #expect(throws: LogError.refused("the journal can't get a new segment: too many open files")) {
            try journal.append(SampleChunks.chunks(4...100))
        }
        #expect(bench.disk.contents == before)
        _ = try journal.append(SampleChunks.chunks(4...100))
        bench.disk.loseUnsynced()
        #expect(try bench.open().sequences == Array(1...100))
    }

    @Test("a segment that could not be removed is removed later, and one that is gone is no fault")
    func failingTrim() throws {
        let journal = try bench.open()
        for sequence in 1...300 as ClosedRange<UInt64> { _ = try journal.append([SampleChunks.chunk(sequence)]) }
        let names = try bench.disk.files().sorted()
        #expect(names.count > 2)
        bench.disk.failNext(.remove, with: .failed("not permitted"))
        #expect(throws: LogError.self) { try journal.trim(before: LogOffset(300)) }
        _ = try journal.append([SampleChunks.chunk(301)])
        bench.disk.delete(names[0])
        try journal.trim(before: LogOffset(300))
        _ = try journal.append([SampleChunks.chunk(302)])
        #expect(try bench.disk.files() == [names[names.count - 1]])
        #expect(try bench.open().sequences.last == 302)
    }

    /// The batch makes one segment, whose header is the first write and the first sync.
    private static let callsOfAnAppend: [(SimulatedDisk.Call, Int)] = [
        (.write, 2), (.write, 3), (.sync, 2), (.sync, 3), (.rename, 1), (.syncDirectory, 1),
    ]

    @Test(
        "any other failure of an append is final",
        arguments: callsOfAnAppend)
    func otherFailures(call: SimulatedDisk.Call, number: Int) throws {
        let journal = try bench.open()
        _ = try journal.append(SampleChunks.chunks(1...3))
        bench.disk.faults[call] = [bench.disk.calls[call, default: 0] + number: .failed("broken")]
        for _ in 1...2 {
            do throws(LogError) {
                _ = try journal.append(SampleChunks.chunks(4...100))
                Issue.record("an append succeeded")
            } catch {
                guard case .failed(let reason) = error else { throw error }
                #expect(reason.contains("broken"))
            }
        }
        bench.disk.loseUnsynced()
        #expect(try bench.open().sequences.starts(with: [1, 2, 3]))
    }

    @Test("running out of space in a sync is final too")
    func fullSync() throws {
        let journal = try bench.open()
        bench.disk.failNext(.sync, with: .full("no block"))
        for _ in 1...2 {
            #expect { try journal.append([SampleChunks.chunk(1)]) } throws: { error in
                if case LogError.failed = error { true } else { false }
            }
        }
    }

    @Test(
        "when what was refused can't be taken back, the journal stops", arguments: [SimulatedDisk.Call.remove, .write])
    func failingWithdrawal(call: SimulatedDisk.Call) throws {
        let journal = try bench.open()
        _ = try journal.append(SampleChunks.chunks(1...3))
        // The header of the new segment, the records that don't fit, and then the zeros.
        let write = bench.disk.calls[.write, default: 0] + 2
        bench.disk.faults[.write] = [write: .full("no block")]
        bench.disk.faults[call, default: [:]][call == .write ? write + 1 : 1] = .failed("broken")
        for _ in 1...2 {
            #expect { try journal.append(SampleChunks.chunks(4...100)) } throws: { error in
                if case LogError.failed = error { true } else { false }
            }
        }
    }

    @Test("what a killed process wrote and did not sync is durable before anyone reads it")
    func killedProcess() throws {
        let journal = try bench.open()
        _ = try journal.append([SampleChunks.chunk(1)])
        // The header and the name of a new segment, and the records of both; none of the records is synced.
        bench.disk.callsUntilPowerLoss = 7
        #expect(throws: LogError.self) { try journal.append(SampleChunks.chunks(2...100)) }
        bench.disk.restartProcess()
        #expect(try bench.open().sequences == Array(1...100))
        bench.disk.loseUnsynced()
        #expect(try bench.open().sequences == Array(1...100))
    }

    @Test("a removal that is not durable before the next would leave a hole: each is synced")
    func trimmingAndPowerLoss() throws {
        let journal = try bench.open()
        _ = try journal.append(SampleChunks.chunks(1...400))
        for calls in 0...8 {
            for seed in 1...10 as ClosedRange<UInt64> {
                var generator = SeededGenerator(seed: seed)
                let disk = bench.disk.copy()
                let journal = try JournalBench(disk: disk).open()
                disk.callsUntilPowerLoss = calls
                try? journal.trim(before: LogOffset(350))
                disk.crash(using: &generator)
                let sequences = try JournalBench(disk: disk).open().sequences
                #expect(sequences.last == 400)
                #expect(Set(350...400).isSubset(of: sequences), "seed \(seed), \(calls) calls")
            }
        }
    }

    @Test("a disk that can't be read is no damage")
    func unreadable() throws {
        _ = try bench.open().append([SampleChunks.chunk(1)])
        bench.disk.callsUntilPowerLoss = 0
        #expect(throws: JournalError.unavailable("the journal can't be used: the power is off")) { try bench.open() }
    }

    @Test("damage that appears while the journal is open is reported by the reader")
    func damageWhileOpen() throws {
        let journal = try bench.open()
        _ = try journal.append(SampleChunks.chunks(1...5))
        bench.destroy(offset: 3, inSegment: 1)
        #expect(try journal.read(from: LogOffset(1), maximumBytes: 1).count == 1)
        #expect { try journal.read(from: LogOffset(3), maximumBytes: 1) } throws: { error in
            guard case LogError.damaged(let text) = error else { return false }
            return text.contains("log offset 3") && text.contains("tally journal repair --data ./data")
        }
    }
}
