// SPDX-License-Identifier: Apache-2.0

/// All that can be found in one file of a journal, sound or not.
struct SegmentSurvey {
    struct Flaw: Equatable {
        let position: Int
        /// The offset of what should stand there.
        let offset: LogOffset?
        let what: String
    }

    /// A record and who made its chunk.
    struct Finding: Equatable {
        let record: JournalRecord
        let head: ChunkHead
    }

    let name: String
    let byteCount: Int
    /// By its name.
    let first: LogOffset
    /// nil when it can't be believed.
    private(set) var header: SegmentHeader?
    /// Every whole record, in the order of the file.
    private(set) var findings: [Finding] = []
    private(set) var flaws: [Flaw] = []
    /// Of the records that are whole, though what they hold can't be read as a chunk.
    private var unreadable: [JournalRecord] = []
    /// Behind the last whole record.
    private(set) var end = SegmentHeader.byteCount
    /// Behind the last byte that is not zero.
    private(set) var filledEnd = 0

    /// - Parameter identity: the journal's; records of another are none.
    init(name: String, first: LogOffset, bytes: [UInt8], identity: NodeID) {
        self.name = name
        self.first = first
        byteCount = bytes.count
        readHeader(bytes, identity: identity)
        bytes.withUnsafeBytes { buffer in
            filledEnd = SegmentScan.filledEnd(of: buffer)
            walk(buffer, format: RecordFormat(identity: identity))
        }
    }

    /// It holds a whole record whose chunk can't be read, which the start does not notice.
    var hasUnreadableChunk: Bool { !unreadable.isEmpty }

    /// Sound, and its records begin where they should and follow each other.
    var isSound: Bool { header != nil && flaws.isEmpty }

    /// The highest offset that anything in this file shows to have been given out.
    var highestOffset: LogOffset {
        let records = findings.map(\.record) + unreadable
        let known = records.map { max($0.offset, $0.synced) }.max() ?? .none
        return max(known, header.map { max($0.synced, $0.lastBeforeRecords) } ?? .none)
    }

    /// How many records can have stood behind the last whole one.
    var mostRecordsLostAtEnd: Int {
        if header == nil, findings.isEmpty {
            return max(0, byteCount - SegmentHeader.byteCount) / RecordFormat.shortestRecord
        }
        let damaged = max(0, filledEnd - end)
        return (damaged + RecordFormat.shortestRecord - 1) / RecordFormat.shortestRecord
    }

    private mutating func readHeader(_ bytes: [UInt8], identity: NodeID) {
        do throws(SegmentHeaderError) {
            let header = try SegmentHeader(decoding: bytes[...])
            if header.identity != identity {
                note(16, first, "it belongs to journal \(header.identity), the others to \(identity)")
            } else if header.first != first {
                note(40, first, "its header says that it begins at offset \(header.first)")
            } else if header.size != bytes.count {
                note(bytes.count, nil, "the file has \(bytes.count) bytes, its header says \(header.size)")
                self.header = header
            } else {
                self.header = header
            }
        } catch {
            note(0, first, error.description)
        }
    }

    private mutating func note(_ position: Int, _ offset: LogOffset?, _ what: String) {
        flaws.append(Flaw(position: position, offset: offset, what: what))
    }

    private mutating func walk(_ bytes: UnsafeRawBufferPointer, format: RecordFormat) {
        var expected = header?.lastBeforeRecords.next ?? first
        while end < bytes.count {
            switch format.read(at: end, in: bytes) {
            case .record(let record):
                take(record, expected: expected, bytes)
                expected = record.offset.next
            case .nothing:
                if filledEnd <= end { return }
                note(end, expected, RecordFlaw.missing.description)
                if !skip(in: bytes, format) { return }
            case .incomplete:
                note(end, expected, RecordFlaw.beyondEnd.description)
                if !skip(in: bytes, format) { return }
            case .flawed(let flaw):
                note(end, expected, flaw.description)
                if !skip(in: bytes, format) { return }
            }
        }
    }

    /// Goes on at the next whole record.
    private mutating func skip(in bytes: UnsafeRawBufferPointer, _ format: RecordFormat) -> Bool {
        guard let record = format.nextRecord(from: end + RecordFormat.alignment, in: bytes) else { return false }
        end = record.position
        return true
    }

    private mutating func take(_ record: JournalRecord, expected: LogOffset, _ bytes: UnsafeRawBufferPointer) {
        if record.offset < expected || (record.offset > expected && flaws.last?.offset != expected) {
            note(record.position, expected, RecordFlaw.offset(record.offset, expected: expected).description)
        }
        end = record.end
        do throws(ChunkDecodingError) {
            let payload = UnsafeRawBufferPointer(rebasing: bytes[record.payload])
            // All of it: a start reads only the heads, and a chunk that fails later would keep the server from counting.
            _ = try Chunk(decoding: Array(payload)[...])
            findings.append(Finding(record: record, head: try ChunkHead(payload)))
        } catch {
            unreadable.append(record)
            note(record.position, record.offset, error.description)
        }
    }
}

/// All files of a journal, read one after the other without changing anything.
struct JournalSurvey {
    private(set) var identity: NodeID?
    private(set) var segments: [SegmentSurvey] = []

    /// - Parameters:
    ///   - identity: the journal's, where it is known; else most of the headers decide.
    ///   - visit: is given each file's survey and bytes.
    /// - Throws: a `DiskError`, and what `progress` and `visit` throw.
    init(
        _ files: JournalFiles, identity: NodeID? = nil, progress: (Int, Int) throws -> Void = { _, _ in },
        visit: (SegmentSurvey, [UInt8]) throws -> Void = { _, _ in }
    ) throws {
        let names = SegmentName.segments(in: try files.disk.files())
        self.identity = identity
        if identity == nil { self.identity = try JournalSurvey.identity(of: names, on: files.disk) }
        guard let identity = self.identity else { return }
        var total = 0
        for name in names { total += try files.disk.size(of: name) }
        var done = 0
        for name in names {
            guard let first = SegmentName.first(of: name) else { continue }
            let bytes = try files.readAll(name)
            let survey = SegmentSurvey(name: name, first: first, bytes: bytes, identity: identity)
            segments.append(survey)
            try visit(survey, bytes)
            done += bytes.count
            try progress(done, total)
        }
    }

    /// The identity in most of the headers that can be read; of several the lowest, so that the answer is always the same.
    private static func identity(of names: [String], on disk: any Disk) throws(DiskError) -> NodeID? {
        var counts: [NodeID: Int] = [:]
        for name in names {
            let bytes = try disk.read(name, at: 0, count: SegmentHeader.byteCount)
            if let header = try? SegmentHeader(decoding: bytes[...]) { counts[header.identity, default: 0] += 1 }
        }
        return counts.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key
    }
}
