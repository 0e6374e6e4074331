// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import tally

struct RecordSplitterTests {
    private func split(_ text: String, by size: Int = .max, quotes: Bool = false) -> [String] {
        var splitter = RecordSplitter(quotes: quotes)
        let bytes = Array(text.utf8)
        var records: [Record] = []
        var start = 0
        while start < bytes.count {
            let end = start + min(size, bytes.count - start)
            records += splitter.split(Array(bytes[start..<end]))
            start = end
        }
        if let last = splitter.finish() { records.append(last) }
        return records.map { "\($0.line):\(String(decoding: $0.bytes, as: UTF8.self))" }
    }

    @Test("lines come out alike, whatever pieces they come in", arguments: [1, 2, 3, 100])
    func splitsLines(size: Int) {
        #expect(split("a\r\nb\n\n\"c\nd", by: size) == ["1:a", "2:b", "3:", "4:\"c", "5:d"])
    }

    @Test("rows of CSV hold their quoted ends of line", arguments: [1, 2, 3, 100])
    func splitsRows(size: Int) {
        let text = "a,\"b\nc\",d\ne\"f\n\"g\"\"\nh\"\r\ni"
        #expect(split(text, by: size, quotes: true) == ["1:a,\"b\nc\",d", "3:e\"f", "4:\"g\"\"\nh\"", "6:i"])
    }

    @Test func anEmptyFileHasNoRecords() { #expect(split("").isEmpty) }

    @Test func aByteOrderMarkIsNoPartOfTheFirstLine() {
        #expect(split("\u{FEFF}a\n\u{FEFF}b") == ["1:a", "2:\u{FEFF}b"])
    }

    @Test func aRecordThatIsTooLongIsDroppedAndTheNextIsRead() {
        var splitter = RecordSplitter()
        let long = [UInt8](repeating: UInt8(ascii: "x"), count: RecordSplitter.longest / 2 + 1)
        #expect(splitter.split(long).isEmpty)
        let records = splitter.split(long + Array("\nnext\n".utf8))
        #expect(records.map(\.isTooLong) == [true, false])
        #expect(records[0].bytes.isEmpty)
        #expect(records[1] == Record(line: 2, bytes: Array("next".utf8), isTooLong: false))
    }

    @Test func aQuoteThatIsNeverClosedDoesNotSwallowTheFile() {
        var splitter = RecordSplitter(quotes: true)
        let long = Array("\"".utf8) + [UInt8](repeating: UInt8(ascii: "x"), count: RecordSplitter.longest)
        #expect(splitter.split(long).isEmpty)
        #expect(splitter.split(Array("\nnext\n".utf8)).map(\.isTooLong) == [true, false])
    }
}
