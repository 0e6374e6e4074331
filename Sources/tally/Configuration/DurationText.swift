// SPDX-License-Identifier: Apache-2.0

/// Durations as people write them: `500ms`, `60s`, `5m`, `1h`, `7d`; `0` needs no unit.
enum DurationText {
    /// What is allowed, for the message of an error.
    static let allowed = "a duration is a number with a unit: ms, s, m, h or d, as in 60s, 5m, 1h, 7d"

    private static let units: [(name: String, milliseconds: Int64)] = [
        ("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
    ]

    /// - Returns: nil for what is no duration, or lasts longer than 64 bits of milliseconds.
    static func duration(_ text: some StringProtocol) -> Duration? {
        if text == "0" { return .zero }
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let name = text.dropFirst(digits.count)
        guard let number = Int64(digits), let unit = units.first(where: { $0.name == name }) else { return nil }
        let (milliseconds, overflow) = number.multipliedReportingOverflow(by: unit.milliseconds)
        return overflow ? nil : .milliseconds(milliseconds)
    }

    /// The largest unit that says it without a fraction.
    static func text(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let milliseconds = seconds * 1_000 + attoseconds / 1_000_000_000_000_000
        if milliseconds == 0 { return "0" }
        let unit = units.last { milliseconds % $0.milliseconds == 0 } ?? units[0]
        return "\(milliseconds / unit.milliseconds)\(unit.name)"
    }
}
