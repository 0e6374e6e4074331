// SPDX-License-Identifier: Apache-2.0

import Glibc
import TallyCore

/// Reads a body of events while it arrives, in parts of any size: NDJSON, one object a line, or one JSON array of objects.
///
/// Of lines only the beginning of one that goes on in the next part is kept; an array is kept until its end, since it counts
/// only if all of it is JSON. The work is linear in the bytes, however small the parts are: each search goes on where the one
/// before it ended.
struct BatchReader {
    private enum Form {
        /// Nothing but space was seen.
        case undecided
        case lines
        case array
    }

    /// A byte order mark, as some editors write.
    private static let mark: [UInt8] = [0xEF, 0xBB, 0xBF]

    private var batch: EventBatch
    private var form = Form.undecided
    /// What was not read yet.
    private var rest: [UInt8] = []
    /// The bytes at the beginning of `rest` that are known to be space, while the form is undecided.
    private var spaceCount = 0
    private var line = 0
    /// The work so far: bytes looked at, each time that they were.
    private(set) var examinedBytes = 0

    init(backfill: Bool, service: any CountingService) { batch = EventBatch(backfill: backfill, service: service) }

    mutating func read(_ part: UnsafeRawBufferPointer) {
        if form == .lines {
            batch.beginPart()
            readLines(part)
        } else {
            rest.append(contentsOf: part)
            if form == .undecided { decide(isWhole: false) }
        }
    }

    /// The body has ended.
    /// - Throws: when nothing can be said about single events: an empty body, an array that is not JSON.
    mutating func finish() throws -> EventBatch {
        if form == .undecided { decide(isWhole: true) }
        switch form {
        case .undecided:
            throw BadRequest(
                detail: "the body is empty; send one object a line, or an array of them", reason: "empty_body")
        case .lines:
            let last = rest
            if !last.isEmpty { last.withUnsafeBytes { readLine($0) } }
        case .array: try readArray()
        }
        return batch
    }

    private mutating func decide(isWhole: Bool) {
        let mark = BatchReader.mark
        if !isWhole, rest.count < mark.count, mark.starts(with: rest) { return }
        let start = rest.starts(with: mark) ? mark.count : 0
        guard let first = rest[max(start, spaceCount)...].firstIndex(where: { !BatchReader.isSpace($0) }) else {
            examinedBytes += rest.count - spaceCount
            spaceCount = rest.count
            return
        }
        examinedBytes += first + 1 - spaceCount
        let text = rest[start...]
        if rest[first] == UInt8(ascii: "[") {
            form = .array
            rest = Array(text)
        } else {
            form = .lines
            rest = []
            batch.beginPart()
            text.withUnsafeBytes { readLines($0) }
        }
    }

    // MARK: Lines

    private mutating func readLines(_ part: UnsafeRawBufferPointer) {
        var part = part
        examinedBytes += part.count
        if !rest.isEmpty {
            guard let end = BatchReader.lineEnd(in: part) else { return rest.append(contentsOf: part) }
            var whole = rest
            rest = []
            whole.append(contentsOf: part[..<end])
            whole.withUnsafeBytes { readLine($0) }
            part = UnsafeRawBufferPointer(rebasing: part[(end + 1)...])
        }
        while let end = BatchReader.lineEnd(in: part) {
            readLine(UnsafeRawBufferPointer(rebasing: part[..<end]))
            part = UnsafeRawBufferPointer(rebasing: part[(end + 1)...])
        }
        rest.append(contentsOf: part)
    }

    private mutating func readLine(_ text: UnsafeRawBufferPointer) {
        line += 1
        examinedBytes += text.count
        var scanner = EventScanner(text)
        if let event = scanner.nextEvent(), scanner.isAtEnd, batch.add(event, at: .line(line)) { return }
        examinedBytes += text.count
        if text.allSatisfy(BatchReader.isSpace) { return }
        batch.add(at: .line(line)) { () throws(JSONError) in try JSONReader.value(of: Array(text)[...]) }
    }

    private static func lineEnd(in bytes: UnsafeRawBufferPointer) -> Int? {
        guard let start = bytes.baseAddress, let found = memchr(start, Int32(UInt8(ascii: "\n")), bytes.count) else {
            return nil
        }
        return UnsafeRawPointer(found) - start
    }

    // MARK: An array

    private mutating func readArray() throws {
        let text = rest
        var reader = JSONReader(text[...])
        var index = 0
        batch.beginPart()
        try reader.beginArray()
        while try reader.hasElement(isFirst: index == 0) {
            let start = reader.position
            if !readUsualElement(&reader, of: text, index: index) {
                let value = try reader.readValue(depth: 1)
                batch.add(at: .index(index)) { value }
            }
            examinedBytes += reader.position - start
            index += 1
        }
        try reader.readEnd()
    }

    /// - Returns: false when the element has to be read by the reader, which then stands where it stood.
    private mutating func readUsualElement(_ reader: inout JSONReader, of text: [UInt8], index: Int) -> Bool {
        text.withUnsafeBytes { bytes in
            var scanner = EventScanner(UnsafeRawBufferPointer(rebasing: bytes[reader.position...]))
            guard let event = scanner.nextEvent(), batch.add(event, at: .index(index)) else {
                examinedBytes += scanner.position
                return false
            }
            reader.skip(scanner.position)
            return true
        }
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0A }
}
