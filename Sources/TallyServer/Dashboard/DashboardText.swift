// SPDX-License-Identifier: Apache-2.0

/// The sources of the dashboard as they are sent: without comments and indentation, which are for those who change them.
enum DashboardText {
    /// - Parameter text: HTML or JavaScript of ours, where a comment has its lines to itself and no text in quotation marks
    ///   goes over several lines.
    static func squeezed(_ text: String) -> String {
        text.split(separator: "\n").map(trimmed).filter { !isComment($0) }.joined(separator: "\n")
    }

    /// A style sheet, also without the spaces that say nothing there.
    static func squeezedStyle(_ text: String) -> String {
        without(spacesOf: [" {", "{ ", "{\n", " }", "}\n", "; ", ";\n", ", ", ",\n", ": "], squeezed(text))
    }

    /// A script, also without the spaces around operators and texts, which no text in quotation marks has, those behind
    /// commas in lines without such a text, and the ends of lines where something must follow.
    static func squeezedScript(_ text: String) -> String {
        let lines = squeezed(text).split(separator: "\n").map { line in
            line.contains { "\"'`/".contains($0) } ? String(line) : without(spacesOf: [", ", "; "], String(line))
        }
        return without(spacesOf: operators + lineEnds, lines.joined(separator: "\n"))
    }

    private static let operators = [
        " => ", " === ", " !== ", " && ", " || ", " ?? ", " = ", " += ", " ? ", " : ", " + ", " - ", " * ",
        " < ", " > ", " <= ", " >= ", "if (", "for (", ") {", "{ ", " }", ": \"",
        ": `", ": [", "\"), ", "\", {", "\", t(", "\", h(",
    ]
    static let lineEnds = [";\n", "{\n", ",\n", "(\n", "}\n}"]

    private static func without(spacesOf marks: [String], _ text: String) -> String {
        marks.reduce(text) { $0.replacing($1, with: $1.filter { !$0.isWhitespace }) }
    }

    private static func trimmed(_ line: Substring) -> String {
        String(line.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }

    private static func isComment(_ line: String) -> Bool {
        line.isEmpty || line.hasPrefix("//")
            || [("/*", "*/"), ("<!--", "-->")].contains { line.hasPrefix($0.0) && line.hasSuffix($0.1) }
    }
}
