// SPDX-License-Identifier: Apache-2.0

/// Splits bytes into records at the ends of lines (LF or CR LF), whatever pieces they come in.
struct RecordSplitter {
    /// The longest record, in bytes: enough for any log, and a bound for a file that has no lines.
    static let longest = 1 << 20

    /// Where a byte of CSV stands (RFC 4180): within quotes an end of line belongs to the field.
    private enum Quoting {
        case fieldStart
        case bare
        case quoted
        case quoteInQuoted
    }

    private let quotes: Bool
    private var quoting = Quoting.fieldStart
    private var pending: [UInt8] = []
    private var isTooLong = false
    private var line = 1
    private var linesInRecord = 0

    /// - Parameter quotes: whether an end of line within quotes belongs to the record, as in CSV.
    init(quotes: Bool = false) { self.quotes = quotes }

    /// - Returns: the records that end within these bytes.
    mutating func split(_ bytes: [UInt8]) -> [Record] {
        var records: [Record] = []
        var start = 0
        while let end = endOfRecord(in: bytes, from: start) {
            take(bytes[start..<end])
            records.append(closeRecord())
            start = end + 1
        }
        take(bytes[start...])
        return records
    }

    /// The input has ended.
    /// - Returns: the last record, when it has no end of line.
    mutating func finish() -> Record? { pending.isEmpty && !isTooLong ? nil : closeRecord() }

    private mutating func take(_ part: ArraySlice<UInt8>) {
        guard !isTooLong else { return }
        pending += part
        if pending.count > RecordSplitter.longest {
            pending = []
            isTooLong = true
            // A quote that is never closed would swallow the rest of the file.
            quoting = .bare
        }
    }

    private mutating func closeRecord() -> Record {
        if pending.last == UInt8(ascii: "\r") { pending.removeLast() }
        if line == 1, pending.starts(with: [0xEF, 0xBB, 0xBF]) { pending.removeFirst(3) }
        let record = Record(line: line, bytes: pending, isTooLong: isTooLong)
        line += linesInRecord + 1
        linesInRecord = 0
        pending = []
        isTooLong = false
        quoting = .fieldStart
        return record
    }

    private mutating func endOfRecord(in bytes: [UInt8], from start: Int) -> Int? {
        guard quotes else { return bytes[start...].firstIndex(of: UInt8(ascii: "\n")) }
        return bytes.withUnsafeBufferPointer { buffer in
            for position in start..<buffer.count where isEndOfRecord(buffer[position]) { return position }
            return nil
        }
    }

    private mutating func isEndOfRecord(_ byte: UInt8) -> Bool {
        switch (quoting, byte) {
        case (.quoted, UInt8(ascii: "\n")): linesInRecord += 1
        case (.quoted, UInt8(ascii: "\"")): quoting = .quoteInQuoted
        case (.quoted, _): break
        case (_, UInt8(ascii: "\n")): return true
        case (.fieldStart, UInt8(ascii: "\"")), (.quoteInQuoted, UInt8(ascii: "\"")): quoting = .quoted
        case (_, UInt8(ascii: ",")): quoting = .fieldStart
        default: quoting = .bare
        }
        return false
    }
}
