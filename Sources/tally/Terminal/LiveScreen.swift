// SPDX-License-Identifier: Apache-2.0

/// A terminal that is drawn anew again and again, on a screen of its own; what stood there before comes back at the end.
struct LiveScreen {
    static let begin = "\u{1B}[?1049h\u{1B}[?25l"
    static let end = "\u{1B}[?25h\u{1B}[?1049l"

    /// Draws over what was there, so that nothing flickers.
    /// - Parameters:
    ///   - text: lines; those that don't fit are left out.
    ///   - width, height: of the terminal.
    static func frame(_ text: String, width: Int, height: Int) -> String {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).prefix(max(1, height - 1))
        return "\u{1B}[H" + lines.map { $0.prefix(width) + "\u{1B}[K\n" }.joined() + "\u{1B}[J"
    }
}
