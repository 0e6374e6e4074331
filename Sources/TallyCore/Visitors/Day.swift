// SPDX-License-Identifier: Apache-2.0

/// A day in UTC, counted from 1970-01-01.
package struct Day: Hashable, Sendable {
    package static let minutes: UInt32 = 1_440
    package static let first = Day(of: .first)
    package static let last = Day(of: .last)

    package let sinceEpoch: UInt32

    /// The day that holds this minute.
    package init(of minute: Minute) { sinceEpoch = minute.sinceEpoch / Day.minutes }

    /// - Returns: nil before 1970 and after 9999.
    package init?(sinceEpoch: Int64) {
        guard sinceEpoch >= 0, sinceEpoch <= Int64(Day.last.sinceEpoch) else { return nil }
        self.sinceEpoch = UInt32(sinceEpoch)
    }
}

extension Day: Comparable {
    package static func < (left: Day, right: Day) -> Bool { left.sinceEpoch < right.sinceEpoch }
}

extension Day: CustomStringConvertible {
    /// Such as `2026-03-01`.
    package var description: String {
        let date = CivilDate(daysSinceEpoch: Int64(sinceEpoch))
        func padded(_ number: Int64, _ digits: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: digits - text.utf8.count) + text
        }
        return "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))"
    }
}
