// SPDX-License-Identifier: Apache-2.0

/// Blanks comments and string literals, so that rules about code don't stumble over prose. Lines stay where they are.
struct CodeScanner {
    private let input: [UInt8]
    private var position = 0
    private var output: [UInt8] = []

    static func code(of text: String) -> String {
        var scanner = CodeScanner(input: Array(text.utf8))
        scanner.scanCode(inInterpolation: false)
        return String(decoding: scanner.output, as: UTF8.self)
    }

    private init(input: [UInt8]) {
        self.input = input
        output.reserveCapacity(input.count)
    }

    private mutating func scanCode(inInterpolation: Bool) {
        var depth = 0
        while position < input.count {
            switch input[position] {
            case UInt8(ascii: "/") where starts(with: "//"): scanLineComment()
            case UInt8(ascii: "/") where starts(with: "/*"): scanBlockComment()
            case UInt8(ascii: "#"), UInt8(ascii: "\""):
                if let pounds = poundsBeforeQuote() { scanString(pounds: pounds) } else { keep() }
            case UInt8(ascii: "("):
                depth += 1
                keep()
            case UInt8(ascii: ")"):
                depth -= 1
                keep()
                if inInterpolation, depth == 0 { return }
            default: keep()
            }
        }
    }

    private mutating func scanLineComment() {
        while position < input.count, input[position] != UInt8(ascii: "\n") { blank() }
    }

    private mutating func scanBlockComment() {
        var depth = 0
        repeat {
            if starts(with: "/*") {
                depth += 1
                blank(2)
            } else if starts(with: "*/") {
                depth -= 1
                blank(2)
            } else {
                blank()
            }
        } while depth > 0 && position < input.count
    }

    private mutating func scanString(pounds: Int) {
        blank(pounds)
        let quote = starts(with: "\"\"\"") ? "\"\"\"" : "\""
        blank(quote.utf8.count)
        let end = quote + String(repeating: "#", count: pounds)
        let escape = "\\" + String(repeating: "#", count: pounds)
        while position < input.count {
            switch input[position] {
            case UInt8(ascii: "\"") where starts(with: end):
                blank(end.utf8.count)
                return
            case UInt8(ascii: "\\") where starts(with: escape + "("):
                blank(escape.utf8.count)
                scanCode(inInterpolation: true)
            case UInt8(ascii: "\\") where starts(with: escape): blank(escape.utf8.count + 1)
            default: blank()
            }
        }
    }

    /// How many `#` stand before the quote of a string that begins here; nil when none begins.
    private func poundsBeforeQuote() -> Int? {
        let pounds = input[position...].prefix { $0 == UInt8(ascii: "#") }.count
        let quote = position + pounds
        return quote < input.count && input[quote] == UInt8(ascii: "\"") ? pounds : nil
    }

    private func starts(with text: String) -> Bool {
        input[position...].starts(with: text.utf8)
    }

    private mutating func keep() {
        output.append(input[position])
        position += 1
    }

    private mutating func blank(_ count: Int = 1) {
        for _ in 0..<count where position < input.count {
            output.append(input[position] == UInt8(ascii: "\n") ? input[position] : UInt8(ascii: " "))
            position += 1
        }
    }
}
