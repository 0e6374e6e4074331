// SPDX-License-Identifier: Apache-2.0

/// Sizes as people write them: `64MiB`; digits alone are bytes.
enum SizeText {
    /// What is allowed, for the message of an error.
    static let allowed = "a size is a number with a unit: B, KiB, MiB or GiB, as in 64MiB"

    private static let units: [(name: String, bytes: Int)] = [
        ("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30),
    ]

    /// In bytes.
    /// - Returns: nil for what is no size, or doesn't fit 64 bits.
    static func bytes(_ text: some StringProtocol) -> Int? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let name = text.dropFirst(digits.count)
        guard let number = Int(digits) else { return nil }
        if name.isEmpty { return number }
        guard let unit = units.first(where: { $0.name == name }) else { return nil }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: unit.bytes)
        return overflow ? nil : bytes
    }

    /// The largest unit that says it without a fraction.
    static func text(_ bytes: Int) -> String {
        let unit = units.last { bytes % $0.bytes == 0 && bytes >= $0.bytes } ?? units[0]
        return "\(bytes / unit.bytes)\(unit.name)"
    }
}
