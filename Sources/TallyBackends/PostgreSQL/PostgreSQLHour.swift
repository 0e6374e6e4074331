// SPDX-License-Identifier: Apache-2.0

#if PostgreSQL

import TallyCore

/// `count_by_minute`: a JSON object from the minute of the hour to its count, such as `{"0": 4, "37": 1}`; minutes without a
/// count are left out.
enum PostgreSQLHour {
    static func encode(_ counts: [Int64]) -> [UInt8] {
        var text: [UInt8] = [UInt8(ascii: "{")]
        for minute in counts.indices where counts[minute] != 0 {
            if text.count > 1 { text.append(UInt8(ascii: ",")) }
            text += names[minute]
            text += String(counts[minute]).utf8
        }
        text.append(UInt8(ascii: "}"))
        return text
    }

    /// The names of the minutes, as they stand in an object.
    private static let names = (0..<60).map { Array("\"\($0)\":".utf8) }

    /// Reads exactly such an object: whoever has the database may have written anything.
    static func decode(_ text: ArraySlice<UInt8>) throws(PostgreSQLFailure) -> [Int64] {
        let read = text.withUnsafeBufferPointer { bytes in
            var reader = ObjectReader(text: bytes)
            return reader.read()
        }
        guard let counts = read else {
            throw .damage(
                "a count_by_minute is no object from minutes, 0 to 59, to counts: "
                    + String(decoding: text.prefix(200), as: UTF8.self))
        }
        return counts
    }

    private struct ObjectReader {
        /// Only `text[position]` before its end is ever looked at.
        let text: UnsafeBufferPointer<UInt8>
        private var position = 0

        init(text: UnsafeBufferPointer<UInt8>) { self.text = text }

        private var isAtEnd: Bool { position == text.count }

        mutating func read() -> [Int64]? {
            var counts = [Int64](repeating: 0, count: 60)
            guard skip("{") else { return nil }
            if skip("}") { return isAtEnd ? counts : nil }
            repeat {
                guard skip("\""), let minute = number(), minute < 60, skip("\""), skip(":"), let count = number()
                else {
                    return nil
                }
                counts[Int(minute)] = count
            } while skip(",")
            return skip("}") && isAtEnd ? counts : nil
        }

        private mutating func skip(_ expected: Unicode.Scalar) -> Bool {
            skipSpaces()
            guard !isAtEnd, text[position] == UInt8(ascii: expected) else { return false }
            position += 1
            skipSpaces()
            return true
        }

        private mutating func skipSpaces() {
            while !isAtEnd, text[position] == UInt8(ascii: " ") { position += 1 }
        }

        private mutating func number() -> Int64? {
            let start = position
            var value: Int64 = 0
            while !isAtEnd, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(text[position]) {
                let (product, isTooLarge) = value.multipliedReportingOverflow(by: 10)
                let (sum, isMore) = product.addingReportingOverflow(Int64(text[position] - UInt8(ascii: "0")))
                if isTooLarge || isMore { return nil }
                value = sum
                position += 1
            }
            return position == start ? nil : value
        }
    }
}

#endif
