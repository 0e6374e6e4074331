// SPDX-License-Identifier: Apache-2.0

/// A journal as text, one line for each chunk:
///
///     offset=17 node=5f…e1 sequence=12 time=1733997600000 click@1733997600 42+3 43+1 impression@1733997600 42+7
///
/// The time is in milliseconds, minutes are Unix seconds; then follow banner and count of each delta of that kind and
/// minute. A delta with an event id is written `42+1#` and the id's 32 hexadecimal digits. `unsettled=3-5,9` names the lower sequences
/// of the node that it did not know to be in the log.
package enum JournalDump {
    /// Writes every whole record from `offset` on in the order of the files, also those of a damaged journal.
    ///
    /// Nothing is changed, and neither the chunks that are damaged nor the end of an unfinished batch are told apart:
    /// `JournalVerification` does that.
    /// - Parameter line: is given each line, without its end; what it throws ends the work.
    /// - Throws: a `JournalError` when the disk can't be read.
    package static func run(
        on disk: any Disk, from offset: LogOffset = LogOffset(1), line: (String) throws -> Void
    ) throws {
        try JournalError.translating {
            _ = try JournalSurvey(
                JournalFiles(disk: disk),
                visit: { segment, bytes in
                    for finding in segment.findings where finding.record.offset >= offset {
                        try line(text(finding.record, in: bytes))
                    }
                })
        }
    }

    /// Reads every whole chunk in the order of the files, and changes nothing.
    /// - Parameter visit: is given each chunk; what it throws ends the work.
    /// - Throws: a `JournalError` when the disk can't be read, a `ChunkDecodingError` for what is no chunk.
    package static func read(on disk: any Disk, visit: (LogEntry) throws -> Void) throws {
        try JournalError.translating {
            _ = try JournalSurvey(
                JournalFiles(disk: disk),
                visit: { segment, bytes in
                    for finding in segment.findings {
                        let record = finding.record
                        let chunk = try Chunk(decoding: bytes[record.payload])
                        try visit(LogEntry(offset: record.offset, chunk: chunk))
                    }
                })
        }
    }

    private static func text(_ record: JournalRecord, in bytes: [UInt8]) -> String {
        do throws(ChunkDecodingError) {
            return text(LogEntry(offset: record.offset, chunk: try Chunk(decoding: bytes[record.payload])))
        } catch {
            return "offset=\(record.offset) \(error)"
        }
    }

    package static func text(_ entry: LogEntry) -> String {
        let chunk = entry.chunk
        var words = [
            "offset=\(entry.offset)", "node=\(chunk.node)", "sequence=\(chunk.sequence)",
            "time=\(chunk.time.milliseconds)",
        ]
        if let unsettled = chunk.unsettled, !unsettled.isEmpty { words.append("unsettled=\(unsettled)") }
        var run: String?
        for (delta, id) in chunk.deltas.map({ ($0, EventID?.none) }) + chunk.identified.map({ ($0.delta, $0.id) }) {
            let kindAndMinute = "\(chunk.kinds[Int(delta.kind)])@\(delta.minute.unixSeconds)"
            if kindAndMinute != run { words.append(kindAndMinute) }
            run = kindAndMinute
            // A node's id is written like an event's: 32 digits.
            let idText = id.map { "#\(NodeID(bits: $0.bits))" } ?? ""
            words.append("\(delta.banner)+\(delta.count)\(idText)")
        }
        return (words + sightings(of: chunk)).joined(separator: " ")
    }

    /// Such as `visitors@2026-03-01 7/1023^5`: of banner 7, register 1,023 has at least rank 5.
    private static func sightings(of chunk: Chunk) -> [String] {
        var words: [String] = []
        var day: Day?
        for sighting in chunk.sightings {
            let place = sighting.place
            if place.day != day { words.append("visitors@\(place.day)") }
            day = place.day
            words.append("\(place.banner)/\(place.register)^\(sighting.rank)")
        }
        return words
    }
}
