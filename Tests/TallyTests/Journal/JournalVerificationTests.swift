// SPDX-License-Identifier: Apache-2.0

import TallySimulator
import Testing

@testable import TallyCore

@Suite("A journal is looked into")
struct JournalVerificationTests {
    private let bench = JournalBench()

    @Test("a sound one is counted")
    func sound() throws {
        let journal = try bench.open()
        _ = try journal.append(SampleChunks.chunks(1...100, entries: 2) + [ChunkExample.chunk])
        let before = bench.disk.contents
        var told: [Int] = []
        let report = try JournalVerification.run(on: bench.disk, place: JournalBench.place) { done, _ in
            told.append(done)
        }
        #expect(report.identity == JournalBench.identity)
        #expect(report.segments == journal.segments.count)
        #expect(report.chunks == 101)
        // Each chunk's two counts are its sequence; the example has 212.
        #expect(report.events == 2 * 5050 + 212)
        #expect(report.bytes == journal.segments.count * 4096)
        #expect(report.first == LogOffset(1) && report.last == LogOffset(101))
        #expect(report.damages == [] && report.lost == [] && report.unfinished == nil)
        #expect(told.last == report.bytes)
        #expect(bench.disk.contents == before)
    }

    @Test("an empty directory has nothing in it")
    func empty() throws {
        #expect(try bench.verify() == JournalReport())
    }

    @Test("every damage is listed, not only the first")
    func allDamages() throws {
        let journal = try bench.open()
        for sequence in 1...220 as ClosedRange<UInt64> { _ = try journal.append([SampleChunks.chunk(sequence)]) }
        let firsts = journal.segments.map(\.first.value)
        for offset in [3, 9, 10] as [Int64] { bench.destroy(offset: offset, inSegment: 1) }
        bench.disk.flip(JournalBench.name(firsts[1]), byte: 50)
        bench.disk.delete(JournalBench.name(firsts[2]))
        let report = try bench.verify()
        let damages = report.damages.map { "\($0.file.prefix(20)) \($0.offset.map(\.description) ?? "-")" }
        #expect(
            damages.sorted()
                == [
                    "\(JournalBench.name(1).prefix(20)) 3", "\(JournalBench.name(1).prefix(20)) 9",
                    "\(JournalBench.name(firsts[1]).prefix(20)) \(firsts[1])",
                    "\(JournalBench.name(firsts[1]).prefix(20)) \(firsts[2])",
                ].sorted())
        #expect(report.chunks == Int(220 - 3 - (firsts[3] - firsts[2])))
    }

    @Test("an unfinished batch is no damage")
    func unfinished() throws {
        let journal = try bench.open()
        _ = try journal.append(SampleChunks.chunks(1...3))
        _ = try journal.append(SampleChunks.chunks(4...6))
        bench.destroy(offset: 5, inSegment: 1)
        let report = try bench.verify()
        #expect(report.damages == [])
        #expect(report.unfinished?.offset == LogOffset(5))
        #expect(report.unfinished?.what == "the checksum of a record is wrong")
    }

    @Test("a whole record whose chunk can't be read is damage")
    func unreadableChunk() throws {
        let journal = try bench.open()
        _ = try journal.append([SampleChunks.chunk(1)])
        var payload = SampleChunks.chunk(2).encoded()
        payload[payload.count - 1] = 9
        var record: [UInt8] = []
        journal.format.append(payload, offset: LogOffset(2), synced: LogOffset(1), to: &record)
        try bench.disk.write(record, to: JournalBench.name(1), at: journal.segments[0].end)
        let report = try bench.verify()
        #expect(report.chunks == 1)
        #expect(report.damages.map(\.offset) == [LogOffset(2)])
    }

    @Test("without a single header every file is named")
    func noHeaders() throws {
        _ = try bench.open().append([SampleChunks.chunk(1)])
        bench.disk.flip(JournalBench.name(1), byte: 1)
        let report = try bench.verify()
        #expect(report.identity == nil && report.segments == 1)
        #expect(report.damages.map(\.file) == [JournalBench.name(1)])
    }

    @Test("a dump is a line for each chunk")
    func dump() throws {
        let journal = try bench.open()
        _ = try journal.append([SampleChunks.chunk(1), ChunkExample.chunk])
        var lines: [String] = []
        try JournalDump.run(on: bench.disk) { lines.append($0) }
        #expect(
            lines == [
                "offset=1 node=\(SampleChunks.node) sequence=1 time=1733997600001 click@1733997600 1+1",
                "offset=2 node=\(SampleChunks.node) sequence=300 time=1733997600123 click@1733997600 42+3 43+1 "
                    + "click@1733997660 42+200 impression@1733997600 42+7 click@1733997600 "
                    + "42+1#a0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
            ])
        lines = []
        try JournalDump.run(on: bench.disk, from: LogOffset(2)) { lines.append($0) }
        #expect(lines.count == 1)
    }

    @Test("a dump shows what is whole in a damaged journal, and can be stopped")
    func dumpOfDamaged() throws {
        let journal = try bench.open()
        for sequence in 1...10 as ClosedRange<UInt64> { _ = try journal.append([SampleChunks.chunk(sequence)]) }
        bench.destroy(offset: 4, inSegment: 1)
        var count = 0
        try JournalDump.run(on: bench.disk) { _ in count += 1 }
        #expect(count == 9)
        #expect(throws: CancellationError.self) {
            try JournalDump.run(on: bench.disk) { _ in
                count += 1
                throw CancellationError()
            }
        }
        #expect(count == 10)
    }
}
