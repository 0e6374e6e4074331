// SPDX-License-Identifier: Apache-2.0

/// Where the next reading probably begins.
struct JournalCursor: Equatable {
    let segment: LogOffset
    let next: Segment.Mark
}

extension Journal {
    private static let readBytes = 4096...(1 << 20)

    /// As `EventLog.read` says.
    package func read(from offset: LogOffset, maximumBytes: Int) throws(LogError) -> [LogEntry] {
        let offset = max(offset, LogOffset(1))
        guard offset >= firstOffset else { throw .trimmed(first: firstOffset) }
        guard offset <= lastOffset else { return [] }
        let index = segments.lastIndex { $0.first <= offset }
        // Behind the last record of this segment, or in a stretch that is lost, the next segment goes on.
        guard let index, let holding = segments[index...].first(where: { $0.holdsRecords && $0.last >= offset }) else {
            return []
        }
        return try read(holding, from: max(offset, holding.lastBeforeRecords.next), maximumBytes: maximumBytes)
    }

    private func read(
        _ segment: Segment, from offset: LogOffset, maximumBytes: Int
    ) throws(LogError) -> [LogEntry] {
        var mark = segment.mark(before: offset)
        if let cursor, cursor.segment == segment.first, mark.offset <= cursor.next.offset, cursor.next.offset <= offset
        {
            mark = cursor.next
        }
        let (low, high) = (Journal.readBytes.lowerBound, Journal.readBytes.upperBound)
        var window = min(max(maximumBytes, low), high)
        var pieces = JournalPieces(next: mark, from: offset, maximumBytes: maximumBytes)
        while pieces.entries.isEmpty {
            let start = pieces.next.position
            let bytes = try bytes(of: segment, at: start, count: min(window, segment.end - start))
            switch pieces.take(from: bytes, format: format) {
            case .more(let needed):
                // A record whose length was damaged may ask for more than was ever written.
                let end = pieces.next.position + max(needed, RecordFormat.shortestRecord)
                if pieces.entries.isEmpty, end > segment.end {
                    throw damage(of: segment, at: pieces.next, RecordFlaw.beyondEnd.description)
                }
                window = max(window, needed)
            case .flawed(let what): throw damage(of: segment, at: pieces.next, what)
            }
        }
        cursor = JournalCursor(segment: segment.first, next: pieces.next)
        return pieces.entries
    }

    private func damage(of segment: Segment, at mark: Segment.Mark, _ what: String) -> LogError {
        .damaged(place.damage(segment.name, at: mark.position, offset: mark.offset, what).description)
    }

    private func bytes(of segment: Segment, at position: Int, count: Int) throws(LogError) -> [UInt8] {
        let bytes: [UInt8]
        do throws(DiskError) {
            bytes = try disk.read(segment.name, at: position, count: count)
        } catch {
            throw .damaged("the journal can't be read: \(error)")
        }
        guard bytes.count == count else {
            let damage = place.damage(segment.name, at: position + bytes.count, offset: nil, "the file ends early")
            throw .damaged(damage.description)
        }
        return bytes
    }
}

/// The entries found in consecutive pieces of a segment.
struct JournalPieces {
    enum Outcome {
        /// The next piece must hold at least so many bytes.
        case more(needed: Int)
        case flawed(String)
    }

    /// The record to read next.
    private(set) var next: Segment.Mark
    private(set) var entries: [LogEntry] = []
    private let from: LogOffset
    private let maximumBytes: Int
    private var payloadBytes = 0

    init(next: Segment.Mark, from: LogOffset, maximumBytes: Int) {
        self.next = next
        self.from = from
        self.maximumBytes = maximumBytes
    }

    /// - Parameter bytes: stand at `next.position`, and hold nothing behind the segment's last record.
    mutating func take(from bytes: [UInt8], format: RecordFormat) -> Outcome {
        let base = next.position
        while next.position - base < bytes.count, entries.isEmpty || payloadBytes < maximumBytes {
            let position = next.position - base
            switch bytes.withUnsafeBytes({ format.read(at: position, in: $0) }) {
            case .record(let record):
                guard record.offset == next.offset else {
                    return .flawed(RecordFlaw.offset(record.offset, expected: next.offset).description)
                }
                if record.offset >= from {
                    do throws(ChunkDecodingError) {
                        let chunk = try Chunk(decoding: bytes[record.payload])
                        entries.append(LogEntry(offset: record.offset, chunk: chunk))
                        payloadBytes += record.payloadByteCount
                    } catch {
                        return .flawed(error.description)
                    }
                }
                next = Segment.Mark(offset: next.offset.next, position: base + record.end)
            case .incomplete(let byteCount): return .more(needed: byteCount)
            case .nothing:
                // Fewer bytes than the head of a record: it goes on in the next piece.
                let rest = bytes.count - position
                if rest < RecordFormat.headerByteCount { return .more(needed: RecordFormat.headerByteCount) }
                return .flawed(RecordFlaw.missing.description)
            case .flawed(let flaw): return .flawed(flaw.description)
            }
        }
        return .more(needed: 0)
    }
}
