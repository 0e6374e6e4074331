// SPDX-License-Identifier: Apache-2.0

import TallySimulator
import Testing

@testable import TallyCore

/// Small enough to try everything.
@Suite("A small journal, cut and changed at every byte")
struct JournalCutTests {
    private static let segmentBytes = 512
    private static let last: UInt64 = 17
    /// Three segments of six chunks; the last batch has three chunks.
    private let bench = JournalBench(segmentBytes: segmentBytes)
    private let firsts: [Int64]
    private let original: SimulatedDisk

    init() throws {
        let journal = try bench.open()
        let singles = (1...10 as ClosedRange<UInt64>).map { $0...$0 }
        for batch in singles + [11...12, 13...13, 14...14, 15...Self.last] {
            _ = try journal.append(SampleChunks.chunks(batch))
        }
        firsts = journal.segments.map(\.first.value)
        original = bench.disk
        try #require(firsts == [1, 7, 13])
    }

    /// What opening gives: the sequences, or the damage.
    private func opened(_ disk: SimulatedDisk) throws -> Result<[UInt64], JournalError> {
        let before = disk.contents
        let journal: Journal
        do throws(JournalError) {
            journal = try JournalBench(disk: disk, segmentBytes: Self.segmentBytes).open()
        } catch {
            #expect(disk.contents == before, "a refused journal was changed")
            return .failure(error)
        }
        return .success(try journal.sequences)
    }

    @Test("zeros from any byte of the newest segment on leave the whole records before it")
    func cutNewest() throws {
        let name = JournalBench.name(firsts[2])
        let bytes = original.bytes(of: name)
        let records = bench.records(of: firsts[2])
        for position in SegmentHeader.byteCount...bytes.count {
            let disk = original.copy()
            disk.place(bytes[..<position] + Array(repeating: 0, count: bytes.count - position), as: name)
            // A record that ends in zeros anyway is whole.
            let whole = records.prefix { record in
                record.end <= position || bytes[max(position, record.position)..<record.end].allSatisfy { $0 == 0 }
            }
            let last = UInt64(firsts[2] - 1) + UInt64(whole.count)
            #expect(try opened(disk).get() == Array(1...last), "cut at \(position)")
            // What is appended then is found again, and nothing of what was cut off comes back.
            _ = try JournalBench(disk: disk, segmentBytes: Self.segmentBytes).open().append([SampleChunks.chunk(1000)])
            #expect(try opened(disk).get() == Array(1...last) + [1000], "cut at \(position)")
        }
    }

    @Test("zeros from any byte of a header or an older segment on are refused", arguments: [0, 1, 2])
    func cutOlder(index: Int) throws {
        let name = JournalBench.name(firsts[index])
        let bytes = original.bytes(of: name)
        let end = index == 2 ? SegmentHeader.byteCount : bytes.count
        for position in 0..<end {
            let disk = original.copy()
            let cut = Array(bytes[..<position]) + Array(repeating: 0, count: bytes.count - position)
            if cut == bytes { continue }
            disk.place(cut, as: name)
            #expect(throws: JournalError.self, "cut at \(position)") { try opened(disk).get() }
        }
    }

    @Test("a file that lost its end is refused", arguments: [0, 1, 2])
    func shorterFile(index: Int) throws {
        let name = JournalBench.name(firsts[index])
        let bytes = original.bytes(of: name)
        for count in [0, 1, 127, 128, 129, 300, 504, 511] {
            let disk = original.copy()
            disk.place(Array(bytes[..<count]), as: name)
            #expect(throws: JournalError.self, "\(count) bytes") { try opened(disk).get() }
        }
    }

    @Test("a missing file is refused, unless it is the oldest or the newest")
    func missingFile() throws {
        let disk = original.copy()
        disk.delete(JournalBench.name(firsts[1]))
        #expect { try opened(disk).get() } throws: { error in
            guard case JournalError.damaged(let damage) = error else { return false }
            return damage.file == JournalBench.name(1) && damage.offset == LogOffset(firsts[1])
        }
    }

    @Test("any changed byte of an older segment is refused", arguments: [UInt8(0x01), 0x80])
    func flipOlder(mask: UInt8) throws {
        for index in 0...1 {
            let name = JournalBench.name(firsts[index])
            for byte in 0..<original.bytes(of: name).count {
                let disk = original.copy()
                disk.flip(name, byte: byte, mask: mask)
                guard case .failure(.damaged(let damage)) = try opened(disk) else {
                    Issue.record("byte \(byte) of \(name) was not noticed")
                    continue
                }
                #expect(damage.file == name, "byte \(byte)")
            }
        }
    }

    @Test("any changed byte of the newest segment is refused, or cuts what was not known to be durable")
    func flipNewest() throws {
        let name = JournalBench.name(firsts[2])
        let records = bench.records(of: firsts[2])
        let known = try #require(records.map(\.synced).max())
        #expect(known == LogOffset(14))
        for mask in [0x01, 0x40] as [UInt8] {
            for byte in 0..<original.bytes(of: name).count {
                let disk = original.copy()
                disk.flip(name, byte: byte, mask: mask)
                let hit = records.first { $0.position <= byte && byte < $0.end }
                // A record that is changed can't vouch for others: of the last batch only the first would be alone.
                let isAcknowledged = hit.map { $0.offset <= known } ?? (byte < SegmentHeader.byteCount)
                switch try opened(disk) {
                case .failure(.damaged(let damage)):
                    #expect(isAcknowledged, "byte \(byte)")
                    #expect(damage.file == name)
                    if let hit { #expect(damage.offset == hit.offset && damage.position == hit.position) }
                case .failure(let error): throw error
                case .success(let sequences):
                    let last = hit.map { UInt64($0.offset.value) - 1 } ?? Self.last
                    #expect(!isAcknowledged && sequences == Array(1...last), "byte \(byte)")
                }
            }
        }
    }

    @Test("of a torn batch the whole chunks before the tear stay, whatever is behind it")
    func tornBatch() throws {
        let name = JournalBench.name(firsts[2])
        let records = bench.records(of: firsts[2])
        for torn in records where torn.offset > LogOffset(14) {
            let disk = original.copy()
            disk.flip(name, byte: torn.payload.lowerBound)
            let last = UInt64(torn.offset.value) - 1
            #expect(try opened(disk).get() == Array(1...last))
            // The chunks behind the tear were whole; they are gone for good.
            #expect(disk.bytes(of: name)[torn.position...].allSatisfy { $0 == 0 })
            let journal = try JournalBench(disk: disk, segmentBytes: Self.segmentBytes).open()
            _ = try journal.append([SampleChunks.chunk(2000)])
            #expect(try opened(disk).get() == Array(1...last) + [2000])
        }
    }
}
