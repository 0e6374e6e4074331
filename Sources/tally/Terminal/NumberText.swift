// SPDX-License-Identifier: Apache-2.0

/// Numbers as people read them.
enum NumberText {
    /// `1234567` as `1,234,567`.
    static func grouped(_ number: some BinaryInteger) -> String {
        let digits = Array(String(number.magnitude))
        let first = digits.count % 3
        var groups = first == 0 ? [] : [String(digits[..<first])]
        for start in stride(from: first, to: digits.count, by: 3) { groups.append(String(digits[start..<start + 3])) }
        return (number < 0 ? "-" : "") + groups.joined(separator: ",")
    }

    /// `1 line`, `2 lines`.
    static func counted(_ number: some BinaryInteger, _ noun: String) -> String {
        "\(grouped(number)) \(noun)\(number == 1 ? "" : "s")"
    }

    /// `2,416,083` bytes as `2.3 MiB`.
    static func bytes(_ bytes: Int64) -> String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB"]
        var unit = 0
        var tenths = max(0, bytes) &* 10
        if bytes > Int64.max / 10 { return "\(grouped(bytes)) B" }
        while tenths >= 10_240, unit + 1 < units.count {
            tenths /= 1_024
            unit += 1
        }
        return unit == 0 ? "\(bytes) B" : "\(tenths / 10).\(tenths % 10) \(units[unit])"
    }

    /// Whole seconds as `0:07`, `12:34` or `1:02:03`.
    static func clock(_ duration: Duration) -> String {
        let seconds = max(0, duration.components.seconds)
        let tail = "\(seconds % 60 < 10 ? "0" : "")\(seconds % 60)"
        let minutes = seconds / 60
        if minutes < 60 { return "\(minutes):\(tail)" }
        return "\(minutes / 60):\(minutes % 60 < 10 ? "0" : "")\(minutes % 60):\(tail)"
    }
}
