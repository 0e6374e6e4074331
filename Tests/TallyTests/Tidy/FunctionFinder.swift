// SPDX-License-Identifier: Apache-2.0

/// Where functions begin and end, found by counting brackets; good enough to measure them.
struct FunctionFinder {
    struct Function: Equatable {
        /// Of the declaration, from 1.
        let line: Int
        /// From the declaration to the closing brace, both included.
        let lineCount: Int
    }

    static func functions(in file: SourceFile) -> [Function] {
        var finder = FunctionFinder()
        for (index, line) in file.code.enumerated() {
            finder.read(line, number: index + 1)
        }
        return finder.found.sorted { $0.line < $1.line }
    }

    private struct Open {
        let line: Int
        /// How many braces are open around the function; nil until its body has begun.
        var depth: Int?
    }

    private var found: [Function] = []
    private var open: [Open] = []
    private var braces = 0
    private var parentheses = 0

    private mutating func read(_ line: Substring, number: Int) {
        if let last = open.last, last.depth == nil, parentheses == 0, !Self.continues(line) {
            open.removeLast()  // A requirement of a protocol: it has no body.
        }
        if Self.declares(line) { open.append(Open(line: number)) }
        for byte in line.utf8 { read(byte, number: number) }
    }

    private mutating func read(_ byte: UInt8, number: Int) {
        switch byte {
        case UInt8(ascii: "("), UInt8(ascii: "["): parentheses += 1
        case UInt8(ascii: ")"), UInt8(ascii: "]"): parentheses -= 1
        case UInt8(ascii: "{"):
            if let last = open.last, last.depth == nil, parentheses == 0 { open[open.count - 1].depth = braces }
            braces += 1
        case UInt8(ascii: "}"):
            braces -= 1
            if let last = open.last, last.depth == braces {
                found.append(Function(line: last.line, lineCount: number - last.line + 1))
                open.removeLast()
            }
        default: break
        }
    }

    private static func declares(_ line: Substring) -> Bool {
        let beginnings = ["init(", "init<", "init?(", "init?<", "subscript(", "subscript<"]
        return line.split(separator: " ").contains { word in
            word == "func" || word == "deinit" || beginnings.contains(where: word.hasPrefix)
        }
    }

    /// A line that still belongs to the head of the declaration before it.
    private static func continues(_ line: Substring) -> Bool {
        guard let word = line.split(separator: " ").first else { return false }
        return ["{", "where", "->", "async", "throws", ")"].contains(where: word.hasPrefix)
    }
}
