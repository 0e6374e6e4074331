// SPDX-License-Identifier: Apache-2.0

extension Minute {
    /// As RFC 3339: `2024-12-12T10:00:00Z`, `2024-12-12T13:00:00+03:00`; without a zone (and in UTC) where none was stated.
    package func text(in zone: WrittenTime.Zone = .utc) -> String {
        var bytes: [UInt8] = []
        append(to: &bytes, in: zone)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends the same text. Answers of a million points are written this way.
    package func append(to bytes: inout [UInt8], in zone: WrittenTime.Zone = .utc) {
        var offset: Int64 = 0
        if case .offset(let minutes) = zone { offset = minutes }
        let local = Int64(sinceEpoch) + offset
        let days = local.flooredQuotient(dividingBy: 1_440)
        let date = CivilDate(daysSinceEpoch: days)
        bytes.append(decimal: date.year, digits: 4)
        bytes.append(UInt8(ascii: "-"))
        bytes.append(decimal: date.month, digits: 2)
        bytes.append(UInt8(ascii: "-"))
        bytes.append(decimal: date.day, digits: 2)
        bytes.append(UInt8(ascii: "T"))
        bytes.append(timeOfDay: local - days * 1_440)
        bytes.append(contentsOf: ":00".utf8)
        bytes.append(zone)
    }
}

extension [UInt8] {
    /// At least so many digits.
    fileprivate mutating func append(decimal value: Int64, digits: Int) {
        if digits == 2 {
            append(UInt8(ascii: "0") + UInt8(value / 10))
            append(UInt8(ascii: "0") + UInt8(value % 10))
            return
        }
        let text = String(value)
        append(contentsOf: repeatElement(UInt8(ascii: "0"), count: Swift.max(0, digits - text.utf8.count)))
        append(contentsOf: text.utf8)
    }

    fileprivate mutating func append(timeOfDay minutes: Int64) {
        append(decimal: minutes / 60, digits: 2)
        append(UInt8(ascii: ":"))
        append(decimal: minutes % 60, digits: 2)
    }

    fileprivate mutating func append(_ zone: WrittenTime.Zone) {
        switch zone {
        case .unstated, .unix: break
        case .utc: append(UInt8(ascii: "Z"))
        case .offset(let minutes):
            append(UInt8(ascii: minutes < 0 ? "-" : "+"))
            append(timeOfDay: abs(minutes))
        }
    }
}

extension Timestamp {
    /// To the second, as RFC 3339 in UTC.
    package var text: String {
        let minute = Minute(self)
        let seconds = max(0, min(59, milliseconds / 1_000 - minute.unixSeconds))
        return minute.text().dropLast(3) + (seconds < 10 ? "0\(seconds)Z" : "\(seconds)Z")
    }
}
