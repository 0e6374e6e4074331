// SPDX-License-Identifier: Apache-2.0

import TallySimulator
import Testing

@testable import TallyCore

@Suite("A journal on a sound disk")
struct JournalTests {
    @Test("a new journal takes the identity it is given, and keeps it")
    func identity() throws {
        let bench = JournalBench()
        #expect(try bench.open().identity == JournalBench.identity)
        let other = try Journal.open(
            on: bench.disk, place: JournalBench.place, settings: bench.settings, newIdentity: SampleChunks.other)
        #expect(other.identity == JournalBench.identity)
        #expect(other.id == LogID("journal-0123456789abcdef0011223344556677"))
    }

    @Test("an append of one chunk is one write and one sync")
    func oneWriteOneSync() throws {
        let bench = JournalBench()
        let journal = try bench.open()
        let before = bench.disk.calls
        _ = try journal.append([SampleChunks.chunk(1)])
        #expect(bench.disk.calls[.write] == before[.write, default: 0] + 1)
        #expect(bench.disk.calls[.sync] == before[.sync, default: 0] + 1)
        _ = try journal.append(SampleChunks.chunks(2...9))
        #expect(bench.disk.calls[.write] == before[.write, default: 0] + 2)
        #expect(bench.disk.calls[.create] == before[.create])
    }

    @Test("all is there after opening again, and offsets go on")
    func reopening() throws {
        let bench = JournalBench()
        #expect(try bench.open().append(SampleChunks.chunks(1...3)) == LogOffset.all(1...3))
        #expect(try bench.open().append(SampleChunks.chunks(4...200)) == LogOffset.all(4...200))
        let journal = try bench.open()
        #expect(try journal.sequences == Array(1...200))
        #expect(journal.lastOffset == LogOffset(200))
        #expect(journal.lastSequence == 200)
        #expect(journal.segments.count > 3)
        for (left, right) in zip(journal.segments, journal.segments.dropFirst()) {
            #expect(right.first == left.last.next)
        }
    }

    @Test("the last sequence is that of the own node alone")
    func ownSequence() throws {
        let bench = JournalBench()
        let journal = try bench.open()
        _ = try journal.append([SampleChunks.chunk(5), SampleChunks.chunk(900, of: SampleChunks.other)])
        #expect(journal.lastSequence == 5)
        #expect(try bench.open().lastSequence == 5)
    }

    @Test("the last sequence is known when the segment that held it was trimmed")
    func ownSequenceAfterTrimming() throws {
        let bench = JournalBench()
        let journal = try bench.open()
        _ = try journal.append([SampleChunks.chunk(7)])
        _ = try journal.append(SampleChunks.chunks(1...200, of: SampleChunks.other))
        try journal.trim(before: LogOffset(150))
        #expect(journal.firstOffset > LogOffset(1))
        #expect(try bench.open().lastSequence == 7)
    }

    @Test("every size of chunk fits, at every place of a segment", arguments: [1, 2, 100, 700])
    func everyFit(entries: Int) throws {
        for first in 1...40 {
            let bench = JournalBench()
            let journal = try bench.open()
            let chunks = [SampleChunks.chunk(1, entries: first * 17), SampleChunks.chunk(2, entries: entries)]
            for chunk in chunks + chunks { _ = try journal.append([chunk]) }
            #expect(try bench.open().readAll().map(\.chunk) == chunks + chunks)
        }
    }

    @Test("a segment that is full to the last byte ends there")
    func exactlyFull() throws {
        let bench = JournalBench()
        let journal = try bench.open()
        let record = RecordFormat.byteCount(payload: SampleChunks.chunk(1).encoded().count)
        let room = (4096 - SegmentHeader.byteCount) / record
        // The last chunk takes exactly what is left; its length is found by trying.
        let rest = 4096 - SegmentHeader.byteCount - (room - 3) * record
        let filler = try #require(
            (1...200).map { SampleChunks.chunk(1, entries: $0) }.first {
                RecordFormat.byteCount(payload: $0.encoded().count) == rest
            })
        _ = try journal.append(Array(repeating: SampleChunks.chunk(1), count: room - 3) + [filler])
        #expect(journal.segments[0].end == 4096)
        _ = try journal.append([SampleChunks.chunk(2)])
        #expect(try bench.open().readAll().count == room - 1)
        #expect(try bench.open().segments.map(\.first) == [LogOffset(1), LogOffset(Int64(room - 1))])
    }

    @Test("a chunk larger than a segment gets one of its own size, and the next goes on as usual")
    func oversizedChunk() throws {
        let bench = JournalBench()
        let journal = try bench.open()
        let chunks = [SampleChunks.chunk(1), SampleChunks.chunk(2, entries: 5000), SampleChunks.chunk(3)]
        #expect(try journal.append(chunks) == LogOffset.all(1...3))
        #expect(try bench.open().readAll().map(\.chunk) == chunks)
        #expect(try bench.open().segments.map(\.first) == LogOffset.all(1...3))
    }

    @Test("an empty segment gives way to one that has room for the first chunk")
    func oversizedFirstChunk() throws {
        let bench = JournalBench()
        let journal = try bench.open()
        let chunks = [SampleChunks.chunk(1, entries: 5000), SampleChunks.chunk(2)]
        for chunk in chunks { _ = try journal.append([chunk]) }
        #expect(journal.segments.map(\.first) == LogOffset.all(1...2))
        try journal.trim(before: LogOffset(1))
        #expect(try journal.readAll().map(\.chunk) == chunks)
        #expect(try bench.open().readAll().map(\.chunk) == chunks)
    }

    @Test("a chunk beyond the limit is refused, since no reader would take it")
    func tooLargeChunk() throws {
        let bench = JournalBench()
        let journal = try bench.open()
        var chunk = SampleChunks.chunk(1)
        let banner = try #require(BannerID(Int64.max))
        chunk.identified = (0..<320_000).map { index in
            let delta = Delta(banner: banner, kind: 0, minute: index % 2 == 0 ? .first : .last, count: 1)
            return IdentifiedDelta(id: EventID(bits: UInt128(index)), delta: delta)
        }
        let before = bench.disk.contents
        for chunks in [[chunk], [SampleChunks.chunk(1), chunk]] {
            #expect(throws: LogError.self) { try journal.append(chunks) }
            #expect(bench.disk.contents == before)
        }
        #expect(try journal.append([SampleChunks.chunk(1)]) == [LogOffset(1)])
    }

    @Test("segments of other sizes are read as they are")
    func changedSegmentSize() throws {
        let small = JournalBench()
        _ = try small.open().append(SampleChunks.chunks(1...200))
        let large = JournalBench(disk: small.disk, segmentBytes: 16384)
        _ = try large.open().append(SampleChunks.chunks(201...500))
        #expect(try small.open().sequences == Array(1...500))
    }

    @Test("trimming drops whole segments, and only such that hold nothing else")
    func trimming() throws {
        let bench = JournalBench()
        let journal = try bench.open()
        _ = try journal.append(SampleChunks.chunks(1...300))
        let firsts = journal.segments.map(\.first)
        try journal.trim(before: LogOffset(firsts[2].value - 1))
        #expect(journal.firstOffset == firsts[1])
        try journal.trim(before: firsts[2])
        #expect(journal.firstOffset == firsts[2])
        try journal.trim(before: LogOffset(1))
        #expect(throws: LogError.trimmed(first: firsts[2])) {
            try journal.read(from: LogOffset(firsts[2].value - 1), maximumBytes: 1)
        }
        let again = try bench.open()
        #expect(try again.sequences.first == UInt64(firsts[2].value))
        try again.trim(before: LogOffset(1_000_000))
        #expect(again.segments.count == 1)
        #expect(again.lastOffset == LogOffset(300))
    }

    @Test("reading from every offset gives that chunk first")
    func readingFromEverywhere() throws {
        let bench = JournalBench(segmentBytes: 8192)
        let journal = try bench.open()
        _ = try journal.append(SampleChunks.chunks(1...400))
        for journal in [journal, try bench.open()] {
            for offset in (1...400 as ClosedRange<Int64>).reversed() {
                let entries = try journal.read(from: LogOffset(offset), maximumBytes: 1)
                #expect(entries.map(\.offset) == [LogOffset(offset)])
                #expect(entries.map(\.chunk.sequence) == [UInt64(offset)])
            }
        }
    }

    @Test("a long segment is read from its middle by way of its marks")
    func marks() throws {
        let bench = JournalBench(segmentBytes: 8 << 20)
        let journal = try bench.open()
        for sequence in 1...24 as ClosedRange<UInt64> {
            _ = try journal.append([SampleChunks.chunk(sequence, entries: 40_000)])
        }
        let again = try bench.open()
        #expect(again.segments == journal.segments)
        #expect(again.segments[0].marks.count > 3)
        for offset in [20, 3, 24, 11, 1] as [Int64] {
            #expect(try again.read(from: LogOffset(offset), maximumBytes: 1).map(\.offset) == [LogOffset(offset)])
        }
    }

    @Test("progress is told up to the end")
    func progress() throws {
        let bench = JournalBench()
        _ = try bench.open().append(SampleChunks.chunks(1...200))
        var told: [[Int]] = []
        let journal = try bench.open { told.append([$0, $1]) }
        let total = journal.segments.count * 4096
        #expect(told == (1...journal.segments.count).map { [$0 * 4096, total] })
    }

    @Test("files that are not the journal's are left alone, and unfinished ones removed")
    func otherFiles() throws {
        let bench = JournalBench()
        _ = try bench.open().append([SampleChunks.chunk(1)])
        let others = ["notes.txt", "1.segment", JournalBench.name(1) + ".damaged", "0000000000000000000a.segment"]
        for name in others { bench.disk.place([1, 2, 3], as: name) }
        bench.disk.place([1, 2, 3], as: JournalBench.name(2) + ".new")
        #expect(try bench.open().sequences == [1])
        #expect(try bench.disk.files() == (others + [JournalBench.name(1)]).sorted())
    }

    @Test("the size of a segment is checked")
    func segmentSize() {
        #expect(JournalSettings(segmentBytes: 4096) != nil)
        #expect(JournalSettings(segmentBytes: 1 << 30) != nil)
        for size in [0, -4096, 4095, 4100, (1 << 30) + 4096] { #expect(JournalSettings(segmentBytes: size) == nil) }
        #expect(JournalSettings.default.segmentBytes == 64 << 20)
    }
}
