// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// The time of a line of an access log: `[17/May/2015:10:05:03 +0000]`.
enum AccessLogTime {
    static let example = "[17/May/2015:10:05:03 +0000]"

    enum Reading: Equatable {
        case minute(Minute)
        /// It looks like a time, but there is no such moment, or it lies before 1970.
        case impossible(String)
        case missing
    }

    private static let length = "17/May/2015:10:05:03 +0000".utf8.count
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// The first time in the line, wherever it stands: what comes before it differs from server to server.
    static func find(in line: [UInt8]) -> Reading {
        var rest = line[...]
        while let bracket = rest.firstIndex(of: UInt8(ascii: "[")) {
            rest = rest[(bracket + 1)...]
            let candidate = rest.prefix(length)
            guard rest.dropFirst(length).first == UInt8(ascii: "]") else { continue }
            let reading = read(candidate)
            if reading != .missing { return reading }
        }
        return .missing
    }

    private static func read(_ text: ArraySlice<UInt8>) -> Reading {
        var reader = DigitReader(text)
        guard let day = reader.digits(2), reader.skip("/"), let monthName = reader.text(3), reader.skip("/"),
            let year = reader.digits(4), reader.skip(":"), let hour = reader.digits(2), reader.skip(":"),
            let minute = reader.digits(2), reader.skip(":"), let second = reader.digits(2), reader.skip(" ")
        else { return .missing }
        let isWest = reader.skip("-")
        guard isWest || reader.skip("+"), let offsetHours = reader.digits(2), let offsetMinutes = reader.digits(2)
        else {
            return .missing
        }
        guard let month = months.firstIndex(of: monthName),
            let date = CivilDate(year: Int64(year), month: Int64(month + 1), day: Int64(day)),
            hour <= 23, minute <= 59, second <= 60, offsetHours <= 23, offsetMinutes <= 59
        else { return impossible(text) }
        let local = date.daysSinceEpoch * 86_400 + Int64(hour * 3_600 + minute * 60 + min(second, 59))
        let offset = Int64(offsetHours * 3_600 + offsetMinutes * 60)
        return Minute(unixSeconds: isWest ? local + offset : local - offset).map(Reading.minute) ?? impossible(text)
    }

    private static func impossible(_ text: ArraySlice<UInt8>) -> Reading {
        .impossible(PlainText.of(String(decoding: text, as: UTF8.self)))
    }
}
