// SPDX-License-Identifier: Apache-2.0

/// A moment as someone wrote it, and the zone they wrote it in, so that an answer can be written the same way.
///
/// Read are
/// - RFC 3339 with an offset: `2024-12-12T10:00:00Z`, `2024-12-12T10:00:00.5+03:00`;
/// - the same without an offset (then it is UTC), with a space for the T, without seconds, or the date alone (midnight);
/// - Unix time in digits: seconds, or milliseconds from 100,000,000,000 on (as seconds that would be the year 5138).
package struct WrittenTime: Hashable, Sendable {
    package enum Zone: Hashable, Sendable {
        /// None was written; read as UTC.
        case unstated
        /// Unix time has no zone.
        case unix
        case utc
        /// Minutes east of UTC, written as `+03:00`.
        case offset(minutes: Int64)
    }

    /// From 1970 to 9999.
    package let timestamp: Timestamp
    package let zone: Zone

    package init(timestamp: Timestamp, zone: Zone) {
        self.timestamp = timestamp
        self.zone = zone
    }

    /// The minute that holds the moment.
    package var minute: Minute { Minute(timestamp) }

    /// Reads a number: Unix seconds or milliseconds.
    package init(unix number: Int64) throws(UnreadableTime) {
        let isMilliseconds = number.magnitude >= 100_000_000_000
        let (milliseconds, overflow) = number.multipliedReportingOverflow(by: isMilliseconds ? 1 : 1_000)
        guard !overflow else { throw .outOfRange }
        try self.init(milliseconds: milliseconds, zone: .unix)
    }

    package init(_ text: some StringProtocol) throws(UnreadableTime) {
        let bytes = Array(text.utf8.prefix(WrittenTime.longest + 1))
        guard !bytes.isEmpty, bytes.count <= WrittenTime.longest else { throw .malformed }
        var scanner = TimeScanner(bytes)
        if bytes.allSatisfy(TimeScanner.isDigit) {
            guard let number = Int64(text) else { throw .outOfRange }
            try self.init(unix: number)
        } else {
            try self.init(scanning: &scanner)
        }
    }

    /// Longer than any time needs to be, with room for a fraction of nine digits.
    private static let longest = 40

    private init(scanning scanner: inout TimeScanner) throws(UnreadableTime) {
        guard let year = scanner.number(digits: 4), scanner.take("-"),
            let month = scanner.number(digits: 2), scanner.take("-"),
            let day = scanner.number(digits: 2),
            let date = CivilDate(year: year, month: month, day: day)
        else { throw .malformed }
        var milliseconds = date.daysSinceEpoch * 86_400_000
        var zone = Zone.unstated
        if !scanner.isAtEnd {
            guard scanner.take("T") || scanner.take("t") || scanner.take(" "), let time = scanner.timeOfDay(),
                let written = scanner.zone(), scanner.isAtEnd
            else { throw .malformed }
            milliseconds += time
            zone = written
        }
        if case .offset(let minutes) = zone { milliseconds -= minutes * 60_000 }
        try self.init(milliseconds: milliseconds, zone: zone)
    }

    private init(milliseconds: Int64, zone: Zone) throws(UnreadableTime) {
        guard milliseconds >= 0, milliseconds < (Int64(Minute.last.sinceEpoch) + 1) * 60_000 else { throw .outOfRange }
        self.init(timestamp: Timestamp(milliseconds: milliseconds), zone: zone)
    }
}

/// Why a text is no time.
package enum UnreadableTime: Error, Equatable, Sendable {
    case malformed
    case outOfRange
}

extension UnreadableTime: CustomStringConvertible {
    package var description: String {
        switch self {
        case .malformed:
            "is not a time; allowed are RFC 3339 as in 2024-12-12T10:00:00Z, the same without an offset (UTC), "
                + "with a space for the T or without seconds, and Unix seconds or milliseconds"
        case .outOfRange: "is out of range; allowed are 1970-01-01 to 9999-12-31"
        }
    }
}

/// Reads the parts of a time from bytes. Each function that returns nil has found something else.
private struct TimeScanner {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    mutating func number(digits: Int) -> Int64? {
        guard position + digits <= bytes.count else { return nil }
        var value: Int64 = 0
        for byte in bytes[position..<(position + digits)] {
            guard TimeScanner.isDigit(byte) else { return nil }
            value = value * 10 + Int64(byte - UInt8(ascii: "0"))
        }
        position += digits
        return value
    }

    /// `10:00`, `10:00:00` or `10:00:00.123`, in milliseconds since midnight.
    mutating func timeOfDay() -> Int64? {
        guard let hour = number(digits: 2), hour < 24, take(":"), let minute = number(digits: 2), minute < 60 else {
            return nil
        }
        var milliseconds = (hour * 60 + minute) * 60_000
        guard take(":") else { return milliseconds }
        // A leap second belongs to its minute.
        guard let second = number(digits: 2), second <= 60 else { return nil }
        milliseconds += min(second, 59) * 1_000
        guard take(".") || take(",") else { return milliseconds }
        guard let fraction = fraction() else { return nil }
        return milliseconds + fraction
    }

    /// Any number of digits, in milliseconds, the rest cut off.
    private mutating func fraction() -> Int64? {
        var milliseconds: Int64 = 0
        var unit: Int64 = 100
        let start = position
        while position < bytes.count, TimeScanner.isDigit(bytes[position]) {
            milliseconds += Int64(bytes[position] - UInt8(ascii: "0")) * unit
            unit /= 10
            position += 1
        }
        return position > start ? milliseconds : nil
    }

    /// Nothing, `Z`, `+03:00`, `+0300` or `+03`.
    mutating func zone() -> WrittenTime.Zone? {
        if isAtEnd { return .unstated }
        if take("Z") || take("z") { return .utc }
        let isWest = take("-")
        guard isWest || take("+"), let hours = number(digits: 2), hours < 24 else { return nil }
        var minutes: Int64 = 0
        if take(":") || !isAtEnd {
            guard let written = number(digits: 2), written < 60 else { return nil }
            minutes = written
        }
        let offset = hours * 60 + minutes
        return .offset(minutes: isWest ? -offset : offset)
    }
}
