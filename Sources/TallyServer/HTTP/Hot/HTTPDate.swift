// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// A time as HTTP writes it (RFC 9110, section 5.6.7): `Wed, 25 Nov 2026 18:10:23 GMT`.
enum HTTPDate {
    private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// - Parameter second: since 1970-01-01T00:00:00Z, a Thursday.
    static func text(_ second: Int64) -> String {
        let day = second.flooredQuotient(dividingBy: 86_400)
        let rest = second - day * 86_400
        let date = CivilDate(daysSinceEpoch: day)
        let weekday = days[Int(day - day.flooredQuotient(dividingBy: 7) * 7)]
        let clock = [rest / 3_600, rest / 60 % 60, rest % 60].map(twoDigits).joined(separator: ":")
        return "\(weekday), \(twoDigits(date.day)) \(months[Int(date.month) - 1]) \(date.year) \(clock) GMT"
    }

    private static func twoDigits(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
