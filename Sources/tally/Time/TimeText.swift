// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// Reads and writes times as people and programs spell them.
enum TimeText {
    /// What is allowed, for the message of an error.
    static let allowed =
        "a time is like 2015-05-17T10:05:00Z, 2015-05-17T13:05:00+03:00, 2015-05-17 10:05 (UTC), 2015-05-17, or Unix seconds or milliseconds"

    /// From this number on, digits alone are milliseconds; as seconds it would be the year 5138.
    static let firstMilliseconds: Int64 = 100_000_000_000

    /// - Returns: nil for what is no time between 1970 and 9999.
    static func timestamp(_ text: some StringProtocol) -> Timestamp? {
        if let number = Int64(text) { return timestamp(number: number) }
        var reader = DigitReader(text)
        guard let date = date(from: &reader) else { return nil }
        let midnight = date.daysSinceEpoch * 86_400
        if reader.isAtEnd { return within(seconds: midnight) }
        guard reader.skip("T") || reader.skip("t") || reader.skip(" ") else { return nil }
        guard let time = timeOfDay(from: &reader), let offset = offset(from: &reader), reader.isAtEnd else {
            return nil
        }
        return within(seconds: midnight + time - offset)
    }

    /// Unix seconds, or milliseconds from `firstMilliseconds` on.
    static func timestamp(number: Int64) -> Timestamp? {
        number < firstMilliseconds
            ? within(seconds: number) : within(seconds: number / 1_000)
    }

    /// RFC 3339 in UTC, as in `2015-05-17T10:05:00Z`.
    static func text(_ minute: Minute) -> String {
        let seconds = minute.unixSeconds
        let date = CivilDate(daysSinceEpoch: seconds / 86_400)
        let minutes = Int(seconds % 86_400) / 60
        return "\(date.year)-\(twoDigits(date.month))-\(twoDigits(date.day))"
            + "T\(twoDigits(minutes / 60)):\(twoDigits(minutes % 60)):00Z"
    }

    private static func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    private static func within(seconds: Int64) -> Timestamp? {
        Minute(unixSeconds: seconds).map { _ in Timestamp(milliseconds: seconds * 1_000) }
    }

    private static func date(from reader: inout DigitReader) -> CivilDate? {
        guard let year = reader.digits(4), reader.skip("-"), let month = reader.digits(2), reader.skip("-"),
            let day = reader.digits(2)
        else { return nil }
        return CivilDate(year: year, month: month, day: day)
    }

    /// Seconds since midnight. A leap second counts as the last second of its minute; fractions are dropped.
    private static func timeOfDay(from reader: inout DigitReader) -> Int64? {
        guard let hour = reader.digits(2), hour <= 23, reader.skip(":"), let minute = reader.digits(2), minute <= 59
        else {
            return nil
        }
        guard reader.skip(":") else { return Int64(hour * 3_600 + minute * 60) }
        guard let second = reader.digits(2), second <= 60 else { return nil }
        if reader.skip(".") { guard reader.skipDigits() else { return nil } }
        return Int64(hour * 3_600 + minute * 60 + min(second, 59))
    }

    /// Seconds east of UTC; 0 when no offset is written.
    private static func offset(from reader: inout DigitReader) -> Int64? {
        if reader.isAtEnd || reader.skip("Z") || reader.skip("z") { return 0 }
        let isWest = reader.skip("-")
        guard isWest || reader.skip("+"), let hours = reader.digits(2), hours <= 23 else { return nil }
        _ = reader.skip(":")
        guard let minutes = reader.digits(2), minutes <= 59 else { return nil }
        return Int64(hours * 3_600 + minutes * 60) * (isWest ? -1 : 1)
    }
}
