// SPDX-License-Identifier: Apache-2.0

import TallySimulator
import Testing

@testable import TallyCore

@Suite("The bytes of a segment")
struct SegmentFormatTests {
    private let header = SegmentHeader(
        identity: SampleChunks.node, size: 4096, first: LogOffset(1), lost: 0, synced: .none, lastSequence: 0)

    @Test("are those of the example in docs/journal-format.md")
    func example() throws {
        var bytes = header.encoded()
        let payload = ChunkExample.chunk.encoded()
        RecordFormat(identity: SampleChunks.node).append(payload, offset: LogOffset(1), synced: .none, to: &bytes)
        #expect(HexText.lines(of: bytes) == Self.example)
        let document = try HexText.document("journal-format.md")
        #expect(document.contains(Self.example))
        #expect(document.contains(JournalDump.text(LogEntry(offset: LogOffset(1), chunk: ChunkExample.chunk))))
    }

    /// The first 240 bytes of a segment that holds the chunk of docs/chunk-format.md.
    private static let example = """
        0000  54 41 4c 4c 59 4c 4f 47 01 00 00 00 00 00 00 00
        0010  77 66 55 44 33 22 11 00 ef cd ab 89 67 45 23 01
        0020  00 10 00 00 00 00 00 00 01 00 00 00 00 00 00 00
        0030  00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
        *
        0070  00 00 00 00 00 00 00 00 00 00 00 00 96 56 cd 6e
        0080  58 00 00 00 1d a9 86 21 01 00 00 00 00 00 00 00
        0090  00 00 00 00 00 00 00 00 01 77 66 55 44 33 22 11
        00a0  00 ef cd ab 89 67 45 23 01 ac 02 fb ba be d2 bb
        00b0  32 02 05 63 6c 69 63 6b 0a 69 6d 70 72 65 73 73
        00c0  69 6f 6e 04 00 f0 e9 c7 1b 2a 03 00 00 01 01 00
        00d0  02 2a c8 01 01 01 2a 07 01 af ae ad ac ab aa a9
        00e0  a8 a7 a6 a5 a4 a3 a2 a1 a0 00 f0 e9 c7 1b 2a 01
        """

    @Test("a header comes back as it was written")
    func headerRoundTrip() throws {
        let headers = [
            header,
            SegmentHeader(
                identity: SampleChunks.other, size: 1 << 40, first: LogOffset(.max - 5), lost: 5,
                synced: LogOffset(.max), lastSequence: Chunk.lastSequence),
        ]
        for header in headers {
            #expect(try SegmentHeader(decoding: header.encoded()[...]) == header)
            #expect(header.encoded().count == SegmentHeader.byteCount)
        }
    }

    @Test("a changed byte of a header is noticed")
    func headerFlips() {
        for byte in 0..<SegmentHeader.byteCount {
            var bytes = header.encoded()
            bytes[byte] ^= 0x20
            #expect(throws: byte < 8 ? .noSegment : SegmentHeaderError.wrongChecksum, "byte \(byte)") {
                try SegmentHeader(decoding: bytes[...])
            }
        }
    }

    @Test("a header with a number that can't be is refused, though its checksum is right")
    func impossibleHeaders() {
        let impossible: [(place: Int, value: UInt64)] = [
            (32, 100), (32, 4097), (40, 0), (40, .max), (48, .max), (64, .max),
        ]
        for (place, value) in impossible {
            var bytes = Array(header.encoded()[..<124])
            withUnsafeBytes(of: value.littleEndian) { bytes.replaceSubrange(place..<place + 8, with: $0) }
            withUnsafeBytes(of: CRC32C.of(bytes).littleEndian) { bytes += $0 }
            #expect(throws: SegmentHeaderError.impossible, "\(value) at \(place)") {
                try SegmentHeader(decoding: bytes[...])
            }
        }
    }

    @Test("a short file is no segment")
    func shortHeader() {
        for count in 0..<SegmentHeader.byteCount {
            #expect(throws: SegmentHeaderError.noSegment) {
                try SegmentHeader(decoding: header.encoded()[..<count])
            }
        }
    }

    @Test("the names of segments sort like their offsets")
    func names() {
        #expect(SegmentName.name(first: LogOffset(1)) == "00000000000000000001.segment")
        #expect(SegmentName.name(first: LogOffset(.max)) == "09223372036854775807.segment")
        for offset in [1, 9, 10, 4711, Int64.max] {
            #expect(SegmentName.first(of: SegmentName.name(first: LogOffset(offset))) == LogOffset(offset))
        }
        let wrong = [
            "", "1.segment", "00000000000000000000.segment", "99999999999999999999.segment",
            "00000000000000000001.segment.new", "-0000000000000000001.segment", "0000000000000000000a.segment",
        ]
        for name in wrong { #expect(SegmentName.first(of: name) == nil, "\(name)") }
    }

    @Test("records of every length stand at multiples of eight and come back")
    func recordRoundTrip() throws {
        let format = RecordFormat(identity: SampleChunks.node)
        for length in 22...80 {
            var bytes = [UInt8](repeating: 0, count: 8)
            let payload = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            format.append(payload, offset: LogOffset(9), synced: LogOffset(4), to: &bytes)
            #expect(bytes.count % 8 == 0)
            guard case .record(let record) = bytes.withUnsafeBytes({ format.read(at: 8, in: $0) }) else {
                Issue.record("no record of \(length) bytes")
                continue
            }
            #expect(Array(bytes[record.payload]) == payload)
            #expect(record.offset == LogOffset(9) && record.synced == LogOffset(4) && record.end == bytes.count)
        }
    }

    @Test("a changed byte of a record is noticed, also in its padding")
    func recordFlips() {
        let format = RecordFormat(identity: SampleChunks.node)
        var bytes: [UInt8] = []
        format.append([UInt8](repeating: 7, count: 25), offset: LogOffset(9), synced: LogOffset(4), to: &bytes)
        for byte in bytes.indices {
            for bit in 0..<8 {
                var changed = bytes
                changed[byte] ^= 1 << bit
                if case .record = changed.withUnsafeBytes({ format.read(at: 0, in: $0) }) {
                    Issue.record("bit \(bit) of byte \(byte)")
                }
            }
        }
    }

    @Test("a record of another journal is none")
    func recordOfAnotherJournal() {
        var bytes: [UInt8] = []
        RecordFormat(identity: SampleChunks.other)
            .append(SampleChunks.chunk(1).encoded(), offset: LogOffset(1), synced: .none, to: &bytes)
        let reading = bytes.withUnsafeBytes { RecordFormat(identity: SampleChunks.node).read(at: 0, in: $0) }
        #expect(reading == .flawed(.checksum))
    }

    @Test("what ends early says how much it needs")
    func incompleteRecords() {
        let format = RecordFormat(identity: SampleChunks.node)
        var bytes: [UInt8] = []
        format.append([UInt8](repeating: 7, count: 25), offset: LogOffset(9), synced: LogOffset(4), to: &bytes)
        for count in 0..<bytes.count {
            let reading = bytes[..<count].withUnsafeBytes { format.read(at: 0, in: $0) }
            #expect(reading == (count < 24 ? .nothing : .incomplete(byteCount: bytes.count)))
        }
    }

    @Test("the head of a chunk is read as the whole chunk is")
    func chunkHead() throws {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<300 {
            let chunk = SampleChunks.random(using: &generator)
            let head = try chunk.encoded().withUnsafeBytes { try ChunkHead($0) }
            #expect(head.node == chunk.node && head.sequence == chunk.sequence)
        }
    }
}
