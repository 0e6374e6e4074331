// SPDX-License-Identifier: Apache-2.0

enum PlainText {
    /// The text on one line, without what a terminal would obey: names come from logs, and logs from anyone.
    static func of(_ text: some StringProtocol) -> String {
        var plain = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate:
                plain.append(contentsOf: "\\u{\(String(scalar.value, radix: 16))}".unicodeScalars)
            default: plain.append(scalar)
            }
        }
        return String(plain)
    }

    /// As `of`, cut to `length` characters.
    static func of(_ text: some StringProtocol, upTo length: Int) -> String {
        let start = text.prefix(length)
        return start.endIndex == text.endIndex ? of(start) : of(start) + "…"
    }
}
