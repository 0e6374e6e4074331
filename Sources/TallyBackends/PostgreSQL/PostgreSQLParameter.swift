// SPDX-License-Identifier: Apache-2.0

#if PostgreSQL

import TallyCore

/// A value for a statement, in PostgreSQL's binary form: no text, so no quoting, no time zone and no style of dates.
struct PostgreSQLParameter: Sendable {
    /// The type's number in `pg_type`.
    let type: UInt32
    /// nil for NULL.
    let bytes: [UInt8]?

    static func integer(_ value: Int64) -> Self { Self(type: 20, bytes: bigEndian(value)) }
    static func text(_ value: String) -> Self { Self(type: 25, bytes: Array(value.utf8)) }
    static func bytes(_ value: [UInt8]) -> Self { Self(type: 17, bytes: value) }
    static func time(_ minute: Minute) -> Self {
        Self(type: 1_184, bytes: bigEndian(PostgreSQLTime.number(of: minute)))
    }

    static func integers(_ values: [Int64]) -> Self { array(1_016, of: 20, numbers: values) }
    static func texts(_ values: [String]) -> Self { array(1_009, of: 25, values.map { Array($0.utf8) }) }
    static func optionalTexts(_ values: [String?]) -> Self {
        array(1_009, of: 25, values.map { $0.map { Array($0.utf8) } })
    }
    static func flags(_ values: [Bool]) -> Self { array(1_000, of: 16, values.map { [$0 ? 1 : 0] }) }
    static func times(_ minutes: [Minute]) -> Self {
        array(1_185, of: 1_184, numbers: minutes.map(PostgreSQLTime.number))
    }
    /// Texts of JSON, as `jsonb[]`.
    static func documents(_ values: [[UInt8]]) -> Self { array(3_807, of: 3_802, values.map { [1] + $0 }) }

    private static func bigEndian(_ value: Int64) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }

    private static func array(_ type: UInt32, of element: UInt32, _ values: [[UInt8]?]) -> Self {
        var bytes = beginning(of: element, count: values.count, hasNull: values.contains { $0 == nil })
        bytes.reserveCapacity(bytes.count + values.reduce(0) { $0 + 4 + ($1?.count ?? 0) })
        for value in values {
            bytes.appendBigEndian(value.map { UInt32($0.count) } ?? .max)
            if let value { bytes += value }
        }
        return Self(type: type, bytes: bytes)
    }

    private static func array(_ type: UInt32, of element: UInt32, numbers: [Int64]) -> Self {
        var bytes = beginning(of: element, count: numbers.count, hasNull: false)
        bytes.reserveCapacity(bytes.count + 12 * numbers.count)
        for number in numbers {
            bytes.appendBigEndian(8 as UInt32)
            bytes.appendBigEndian(number)
        }
        return Self(type: type, bytes: bytes)
    }

    /// One dimension, counted from 1; each element follows behind its length, which is -1 for NULL.
    private static func beginning(of element: UInt32, count: Int, hasNull: Bool) -> [UInt8] {
        var bytes: [UInt8] = []
        for number in [count == 0 ? 0 : 1, hasNull ? 1 : 0, element] { bytes.appendBigEndian(number) }
        if count > 0 { for number in [UInt32(count), 1] { bytes.appendBigEndian(number) } }
        return bytes
    }
}

extension [UInt8] {
    fileprivate mutating func appendBigEndian(_ value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }
}

/// `timestamptz` in the binary form: microseconds since 2000-01-01T00:00Z.
enum PostgreSQLTime {
    private static let epoch: Int64 = 946_684_800

    static func number(of minute: Minute) -> Int64 { (minute.unixSeconds - epoch) * 1_000_000 }

    /// - Parameter layout: says at which minutes a row may begin.
    static func minute(_ number: Int64, layout: Layout) throws(PostgreSQLFailure) -> Minute {
        let (seconds, rest) = number.quotientAndRemainder(dividingBy: 1_000_000)
        let unix = seconds.addingReportingOverflow(epoch)
        guard rest == 0, !unix.overflow, unix.partialValue % Int64(layout.minutesPerRow * 60) == 0,
            let minute = Minute(unixSeconds: unix.partialValue)
        else {
            throw .damage("a timestamp \(number) µs after 2000 is no whole \(layout.rawValue) from 1970 to 9999")
        }
        return minute
    }
}

#endif
