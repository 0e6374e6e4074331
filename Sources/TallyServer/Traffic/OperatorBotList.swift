// SPDX-License-Identifier: Apache-2.0

/// The texts by which an operator tells bots, and clients that are none whatever the kept lists say. One a line, as in `bots.txt`: `text` anywhere,
/// `text$` at the end of a word, `!text` for an exception, `#` for a comment. Letters count as small ones.
package struct OperatorBotList: Sendable {
    package static let maximumBytes = 64 << 10
    package static let maximumLines = 1_000
    /// Of a text, in bytes.
    private static let allowedLength = 3...200

    /// Why a file is no such list.
    package struct Problem: Error, Equatable, CustomStringConvertible {
        /// From 1; nil for the whole file.
        let line: Int?
        let what: String

        package var description: String { (line.map { "line \($0): " } ?? "") + what }
    }

    private let bots: BotList
    private let exceptions: BotList

    package init(_ contents: [UInt8]) throws(Problem) {
        guard contents.count <= OperatorBotList.maximumBytes else {
            throw Problem(line: nil, what: "more than \(OperatorBotList.maximumBytes) bytes")
        }
        var bots: [String] = []
        var exceptions: [String] = []
        let lines = contents.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let text = OperatorBotList.text(of: line)
            if text.isEmpty && line.first != UInt8(ascii: "\t") { continue }
            let isException = text.first == UInt8(ascii: "!")
            let word = isException ? text.dropFirst() : text
            guard OperatorBotList.isAllowed(word) else {
                throw Problem(line: index + 1, what: "allowed are \(OperatorBotList.allowed)")
            }
            if isException {
                exceptions.append(String(decoding: word, as: UTF8.self))
            } else {
                bots.append(String(decoding: word, as: UTF8.self))
            }
        }
        guard bots.count + exceptions.count <= OperatorBotList.maximumLines else {
            throw Problem(line: nil, what: "more than \(OperatorBotList.maximumLines) texts")
        }
        self.bots = BotList(bots.joined(separator: "\n"))
        self.exceptions = BotList(exceptions.joined(separator: "\n"))
    }

    /// What stands before a tab and the end of the line; empty for a comment.
    private static func text(of line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        if line.first == UInt8(ascii: "#") { return [] }
        return line.prefix { $0 != UInt8(ascii: "\t") && $0 != UInt8(ascii: "\r") }
    }

    private static let allowed =
        "\(allowedLength.lowerBound) to \(allowedLength.upperBound) visible characters of ASCII and spaces, with ! before or $ "
        + "behind them"

    private static func isAllowed(_ word: ArraySlice<UInt8>) -> Bool {
        let text = word.last == UInt8(ascii: "$") ? word.dropLast() : word
        return allowedLength.contains(text.count) && text.allSatisfy { (0x20...0x7E).contains($0) }
            && text.first != UInt8(ascii: "!") && text.first != UInt8(ascii: "#")
    }

    /// - Returns: whether it is a bot's; nil when the list says nothing of it.
    func isBot(_ userAgent: UnsafeRawBufferPointer) -> Bool? {
        if exceptions.contains(userAgent) { return false }
        return bots.contains(userAgent) ? true : nil
    }
}
