// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Bytes as the documents show them.
enum HexText {
    /// The text of a file in `docs`.
    static func document(_ name: String, file: String = #filePath) throws -> String {
        let root = URL(filePath: file).appending(path: "../../../..").standardized
        return try String(contentsOf: root.appending(path: "docs/\(name)"), encoding: .utf8)
    }

    /// Sixteen bytes a line, behind the place of the first; lines that are like the one before them are one `*`.
    static func lines(of bytes: [UInt8]) -> String {
        var lines: [String] = []
        var previous: ArraySlice<UInt8>?
        for start in stride(from: 0, to: bytes.count, by: 16) {
            let row = bytes[start..<min(start + 16, bytes.count)]
            if let previous, previous.elementsEqual(row) {
                if lines.last != "*" { lines.append("*") }
            } else {
                let text = row.map { hex(Int($0), digits: 2) }.joined(separator: " ")
                lines.append("\(hex(start, digits: 4))  \(text)")
            }
            previous = row
        }
        return lines.joined(separator: "\n")
    }

    private static func hex(_ value: Int, digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
}
