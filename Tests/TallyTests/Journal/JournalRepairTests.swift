// SPDX-License-Identifier: Apache-2.0

import TallySimulator
import Testing

@testable import TallyCore

@Suite("A damaged journal is repaired")
struct JournalRepairTests {
    /// Four segments of single chunks; every chunk but the last is known to be durable.
    private let bench = JournalBench()
    private let firsts: [Int64]
    private static let last: Int64 = 220

    init() throws {
        let journal = try bench.open()
        for sequence in 1...UInt64(Self.last) { _ = try journal.append([SampleChunks.chunk(sequence)]) }
        firsts = journal.segments.map(\.first.value)
        try #require(firsts.count == 4)
    }

    private func name(_ index: Int) -> String { JournalBench.name(firsts[index]) }

    /// Opens it, which it must allow now, and reads all offsets.
    private func offsetsAfterRepair() throws -> [Int64] {
        let journal = try bench.open()
        let entries = try journal.readAll()
        for entry in entries { #expect(entry.chunk == SampleChunks.chunk(UInt64(entry.offset.value))) }
        #expect(try bench.verify().damages == [])
        return entries.map(\.offset.value)
    }

    private func range(_ range: ClosedRange<Int64>) -> ClosedRange<LogOffset> {
        LogOffset(range.lowerBound)...LogOffset(range.upperBound)
    }

    private func all(without lost: [ClosedRange<Int64>] = []) -> [Int64] {
        (1...Self.last).filter { offset in !lost.contains { $0.contains(offset) } }
    }

    @Test("nothing is changed in a sound one")
    func sound() throws {
        let before = bench.disk.contents
        let report = try bench.repair(checkpoint: 100, sequence: 100)
        #expect(report.changedNothing)
        #expect(report.lastOffset == LogOffset(Self.last))
        #expect(bench.disk.contents == before)
    }

    @Test("an empty directory stays empty")
    func emptyDirectory() throws {
        let bench = JournalBench()
        #expect(try bench.repair() == JournalRepairReport())
        #expect(bench.disk.contents.isEmpty)
    }

    @Test("a lost record leaves a gap, all others keep their offsets", arguments: [0, 1, 2, 3])
    func oneRecord(index: Int) throws {
        let lost = firsts[index] + 5
        bench.destroy(offset: lost, inSegment: firsts[index])
        let damaged = bench.disk.bytes(of: name(index))
        #expect(throws: JournalError.self) { try bench.open() }
        let report = try bench.repair()
        #expect(report.lost == [range(lost...lost)])
        #expect(report.skipped == nil)
        #expect(report.copies == [name(index) + ".damaged"])
        #expect(bench.disk.bytes(of: report.copies[0]) == damaged)
        #expect(report.lastOffset == LogOffset(Self.last))
        #expect(try offsetsAfterRepair() == all(without: [lost...lost]))
        #expect(try bench.verify().lost == [range(lost...lost)])
        #expect(try bench.open().append([SampleChunks.chunk(221)]) == [LogOffset(221)])
    }

    @Test("several gaps in several segments")
    func severalGaps() throws {
        for offset in [firsts[0], firsts[0] + 1, firsts[0] + 7, firsts[1] - 1, firsts[2], firsts[3] - 1] {
            let index = firsts.lastIndex { $0 <= offset } ?? 0
            bench.destroy(offset: offset, inSegment: firsts[index])
        }
        let report = try bench.repair()
        let lost = [
            firsts[0]...firsts[0] + 1, firsts[0] + 7...firsts[0] + 7, firsts[1] - 1...firsts[1] - 1,
            firsts[2]...firsts[2], firsts[3] - 1...firsts[3] - 1,
        ]
        #expect(report.lost == lost.map(range))
        #expect(report.copies == [name(0), name(2)].map { $0 + ".damaged" })
        #expect(try offsetsAfterRepair() == all(without: lost))
    }

    @Test("a whole record whose chunk can't be read gives up its offset, and is named")
    func unreadableChunk() throws {
        let record = try #require(bench.records(of: firsts[3]).last)
        var bytes: [UInt8] = []
        let garbage = [UInt8](repeating: 1, count: record.payloadByteCount)
        RecordFormat(identity: JournalBench.identity).append(
            garbage, offset: record.offset, synced: record.synced, to: &bytes)
        var file = bench.disk.bytes(of: name(3))
        file.replaceSubrange(record.position..<record.end, with: bytes)
        bench.disk.place(file, as: name(3))
        let report = try bench.repair()
        #expect(report.lost == [range(Self.last...Self.last)])
        #expect(report.lastOffset >= LogOffset(Self.last))
        #expect(try offsetsAfterRepair() == all(without: [Self.last...Self.last]))
    }

    @Test("a header that is gone costs nothing but itself", arguments: [0, 1, 2, 3])
    func header(index: Int) throws {
        bench.disk.flip(name(index), byte: 20)
        let report = try bench.repair()
        #expect(report.lost == [])
        #expect(report.saved == (index == 3 ? Int(Self.last - firsts[3] + 1) : Int(firsts[index + 1] - firsts[index])))
        #expect(try offsetsAfterRepair() == all())
        #expect(try bench.open().lastSequence == UInt64(Self.last))
    }

    @Test("a missing file becomes a gap")
    func missingFile() throws {
        bench.disk.delete(name(1))
        let report = try bench.repair()
        let lost = firsts[1]...firsts[2] - 1
        #expect(report.lost == [range(lost)])
        #expect(report.copies == [])
        #expect(try offsetsAfterRepair() == all(without: [lost]))
    }

    @Test("a file of zeros becomes a gap", arguments: [0, 1, 2])
    func zeroedFile(index: Int) throws {
        bench.disk.place(Array(repeating: 0, count: 4096), as: name(index))
        let report = try bench.repair()
        let lost = firsts[index]...firsts[index + 1] - 1
        #expect(report.lost == [range(lost)])
        #expect(try offsetsAfterRepair() == all(without: [lost]))
    }

    @Test("a newest file of zeros gives up as many offsets as it can have held, and its sequences")
    func zeroedNewest() throws {
        bench.disk.place(Array(repeating: 0, count: 4096), as: name(3))
        let report = try bench.repair()
        let most = Int64((4096 - SegmentHeader.byteCount) / RecordFormat.shortestRecord)
        #expect(report.lost == [])
        #expect(report.skipped == range(firsts[3]...firsts[3] + most - 1))
        #expect(most >= Self.last - firsts[3] + 1)
        let journal = try bench.open()
        #expect(journal.lastSequence >= UInt64(Self.last))
        #expect(try #require(journal.append([SampleChunks.chunk(journal.lastSequence + 1)]).first).value > Self.last)
    }

    @Test("what is torn off the end of a damaged newest segment gives up its offsets too")
    func damagedEnd() throws {
        bench.destroy(offset: Self.last - 3, inSegment: firsts[3])
        bench.destroy(offset: Self.last, inSegment: firsts[3])
        let report = try bench.repair()
        #expect(report.lost == [range(Self.last - 3...Self.last - 3)])
        #expect(try #require(report.skipped).lowerBound == LogOffset(Self.last))
        #expect(try #require(report.skipped).upperBound >= LogOffset(Self.last))
        #expect(try offsetsAfterRepair() == all(without: [Self.last - 3...Self.last - 3, Self.last...Self.last]))
        #expect(try bench.open().lastSequence >= UInt64(Self.last))
    }

    @Test("offsets and sequences that the store has seen are never given out again")
    func storeIsAhead() throws {
        let report = try bench.repair(checkpoint: 300, sequence: 290)
        #expect(report.lost == [range(221...300)])
        #expect(report.copies == [])
        #expect(report.lastOffset == LogOffset(300))
        let journal = try bench.open()
        #expect(journal.lastOffset == LogOffset(300))
        #expect(journal.lastSequence == 290)
        #expect(try journal.append([SampleChunks.chunk(301)]) == [LogOffset(301)])
        #expect(try bench.open().readAll(from: 210).map(\.offset) == LogOffset.all(210...220) + [LogOffset(301)])
        #expect(try bench.repair(checkpoint: 300, sequence: 290).changedNothing)
    }

    @Test("only the sequence of the store is ahead")
    func storeSequenceIsAhead() throws {
        #expect(try bench.repair(checkpoint: 10, sequence: 500).lost == [])
        let journal = try bench.open()
        #expect(journal.lastSequence == 500)
        #expect(journal.lastOffset == LogOffset(Self.last))
        #expect(try journal.append([SampleChunks.chunk(221)]) == [LogOffset(221)])
        #expect(try bench.open().sequences.count == 221)
    }

    @Test("the end stays when all before a gap at the end is trimmed")
    func trimmingBeforeAGap() throws {
        _ = try bench.repair(checkpoint: 300, sequence: 290)
        try bench.open().trim(before: LogOffset(301))
        let journal = try bench.open()
        #expect(journal.firstOffset == LogOffset(Self.last + 1))
        #expect(journal.lastOffset == LogOffset(300))
        #expect(journal.lastSequence == 290)
        #expect(try journal.read(from: LogOffset(250), maximumBytes: 100) == [])
        _ = try journal.append([SampleChunks.chunk(301)])
        #expect(try bench.open().readAll(from: 250).map(\.offset) == [LogOffset(301)])
    }

    @Test("without any header the identity must come from the store")
    func noHeader() throws {
        for index in 0..<4 { bench.disk.flip(name(index), byte: 20) }
        let before = bench.disk.contents
        #expect(throws: JournalError.self) { try bench.repair() }
        #expect(bench.disk.contents == before)
        #expect(try bench.repair(identity: JournalBench.identity).lost == [])
        #expect(try offsetsAfterRepair() == all())
    }

    @Test("a journal of a newer tally is left alone")
    func newer() throws {
        var header = Array(bench.disk.bytes(of: name(0))[..<124])
        header[8] = 9
        withUnsafeBytes(of: CRC32C.of(header).littleEndian) { header += $0 }
        bench.disk.place(header + Array(repeating: 0, count: 3968), as: name(0))
        let before = bench.disk.contents
        #expect { try bench.repair() } throws: { error in
            if case JournalError.newer = error { true } else { false }
        }
        #expect(bench.disk.contents == before)
    }

    @Test("without room for the copies nothing is changed but the copies")
    func noRoom() throws {
        bench.destroy(offset: 5, inSegment: 1)
        let before = bench.disk.contents
        for capacity in [4, 5] {
            bench.disk.capacity = capacity * 4096
            #expect(throws: JournalError.self) { try bench.repair() }
            for (name, bytes) in before { #expect(bench.disk.bytes(of: name) == bytes) }
        }
        bench.disk.capacity = .max
        #expect(try bench.repair().lost == [range(5...5)])
    }

    @Test("what stops the progress stops the repair before anything is changed")
    func cancelled() throws {
        bench.destroy(offset: 5, inSegment: 1)
        let before = bench.disk.contents
        let repair = JournalRepair(
            disk: bench.disk, place: JournalBench.place, settings: bench.settings, checkpoint: .none,
            checkpointSequence: 0)
        #expect(throws: CancellationError.self) { try repair.run { _, _ in throw CancellationError() } }
        #expect(bench.disk.contents == before)
    }

    @Test("a crash at any moment of it loses nothing: it is repaired again")
    func crashes() throws {
        let lost = [firsts[0] + 3, firsts[1] + 4, firsts[2] - 1]
        for offset in lost {
            bench.destroy(offset: offset, inSegment: offset < firsts[1] ? firsts[0] : firsts[1])
        }
        bench.disk.flip(name(2), byte: 3)
        let original = bench.disk.contents
        var calls = 0
        var isDone = false
        while !isDone {
            for seed in 1...8 as ClosedRange<UInt64> {
                let bench = JournalBench(disk: bench.disk.copy())
                var generator = SeededGenerator(seed: seed)
                bench.disk.callsUntilPowerLoss = calls
                isDone = (try? bench.repair()) != nil
                bench.disk.crash(using: &generator)
                _ = try bench.repair()
                let place: Comment = "seed \(seed), \(calls) calls"
                let expected = (1...Self.last).filter { !lost.contains($0) }
                #expect(try bench.open().readAll().map(\.offset.value) == expected, place)
                #expect(try bench.verify().damages == [], place)
                for index in 0...2 {
                    let copies = bench.disk.contents.filter { $0.key.hasPrefix("\(name(index)).damaged") }
                    #expect(copies.contains { $0.value == original[name(index)] }, place)
                }
            }
            calls += 1
        }
        #expect(calls > 20)
    }

    @Test("random damage never changes or moves a chunk", arguments: 1...60 as ClosedRange<UInt64>)
    func randomDamage(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<Int.random(in: 1...12, using: &generator) {
            let name = name(Int.random(in: 0...3, using: &generator))
            var bytes = bench.disk.bytes(of: name)
            let start = Int.random(in: 0..<bytes.count, using: &generator)
            let end = min(bytes.count, start + (generator.chance(80) ? 1 : 600))
            for index in start..<end { bytes[index] = UInt8(truncatingIfNeeded: generator.next()) }
            bench.disk.place(bytes, as: name)
        }
        let saved = Set(firsts.flatMap { bench.records(of: $0).map(\.offset.value) })
        let report = try bench.repair(checkpoint: Self.last, sequence: UInt64(Self.last))
        let found = try offsetsAfterRepair()
        #expect(Set(found).isSubset(of: saved), "seed \(seed)")
        let missing = Set(saved).subtracting(found)
        // Without damage before it the end of the newest segment is taken for an unfinished batch.
        #expect(report.copies.isEmpty || missing.isEmpty, "seed \(seed)")
        let journal = try bench.open()
        #expect(journal.lastOffset.value >= Self.last, "seed \(seed)")
        #expect(journal.lastSequence >= UInt64(Self.last), "seed \(seed)")
        #expect(try journal.append([SampleChunks.chunk(9999)])[0].value > Self.last, "seed \(seed)")
    }
}
