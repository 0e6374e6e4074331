// SPDX-License-Identifier: Apache-2.0

/// One row of CSV (RFC 4180: fields with a comma, a quote or an end of line stand in quotes) or TSV (a tab, an end of
/// line and a backslash within a field are written `\t`, `\n`, `\r` and `\\`, as PostgreSQL's COPY does).
enum DelimitedText: Sendable {
    case csv
    case tsv

    enum Problem: Error, Equatable {
        case openQuote
        case textAfterQuote
        case strayQuote
    }

    /// The row with its end of line.
    /// - Parameter isRaw: write fields of CSV as they are, also those that a spreadsheet takes for formulas. TSV is always raw.
    func row(_ fields: [String], isRaw: Bool = false) -> String {
        switch self {
        case .csv:
            fields.map { DelimitedText.quoted(isRaw ? $0 : FormulaCell.neutralised($0)) }.joined(separator: ",") + "\n"
        case .tsv: fields.map(DelimitedText.escaped).joined(separator: "\t") + "\n"
        }
    }

    /// What `row` was given. Of CSV that was written raw, a field with apostrophes before the start of a formula loses one.
    func fields(of row: String) throws(Problem) -> [String] {
        switch self {
        case .csv: try DelimitedText.quotedFields(of: row).map(FormulaCell.restored)
        case .tsv:
            row.unicodeScalars.split(separator: "\t", omittingEmptySubsequences: false).map(DelimitedText.unescaped)
        }
    }

    private static func quoted(_ field: String) -> String {
        let special: Set<UInt8> = [UInt8(ascii: ","), UInt8(ascii: "\""), UInt8(ascii: "\n"), UInt8(ascii: "\r")]
        guard field.utf8.contains(where: special.contains) else { return field }
        return "\"" + field.replacing("\"", with: "\"\"") + "\""
    }

    private static func escaped(_ field: String) -> String {
        guard field.utf8.contains(where: { $0 == UInt8(ascii: "\\") || (9...13).contains($0) }) else { return field }
        var text = String.UnicodeScalarView()
        for scalar in field.unicodeScalars {
            switch scalar {
            case "\\": text.append(contentsOf: "\\\\".unicodeScalars)
            case "\t": text.append(contentsOf: "\\t".unicodeScalars)
            case "\n": text.append(contentsOf: "\\n".unicodeScalars)
            case "\r": text.append(contentsOf: "\\r".unicodeScalars)
            default: text.append(scalar)
            }
        }
        return String(text)
    }

    /// A backslash before anything else stands for itself: not everyone who writes TSV escapes.
    private static func unescaped(_ field: String.UnicodeScalarView.SubSequence) -> String {
        guard field.contains("\\") else { return String(field) }
        var text = String.UnicodeScalarView()
        var rest = field
        while let scalar = rest.popFirst() {
            guard scalar == "\\", let next = rest.first, let meant = escapes[next] else {
                text.append(scalar)
                continue
            }
            text.append(meant)
            rest.removeFirst()
        }
        return String(text)
    }

    private static let escapes: [Unicode.Scalar: Unicode.Scalar] = ["\\": "\\", "t": "\t", "n": "\n", "r": "\r"]

    private static func quotedFields(of row: String) throws(Problem) -> [String] {
        var fields: [String] = []
        var rest = row.unicodeScalars[...]
        while true {
            fields.append(rest.first == "\"" ? try quotedField(&rest) : try bareField(&rest))
            guard let separator = rest.popFirst() else { return fields }
            if separator != "," { throw .textAfterQuote }
        }
    }

    private static func bareField(_ rest: inout String.UnicodeScalarView.SubSequence) throws(Problem) -> String {
        let field = rest.prefix { $0 != "," }
        if field.contains("\"") { throw .strayQuote }
        rest.removeFirst(field.count)
        return String(field)
    }

    private static func quotedField(_ rest: inout String.UnicodeScalarView.SubSequence) throws(Problem) -> String {
        rest.removeFirst()
        var field = String.UnicodeScalarView()
        while let scalar = rest.popFirst() {
            if scalar != "\"" {
                field.append(scalar)
            } else if rest.first == "\"" {
                field.append("\"")
                rest.removeFirst()
            } else {
                return String(field)
            }
        }
        throw .openQuote
    }
}

extension DelimitedText.Problem: CustomStringConvertible {
    var description: String {
        switch self {
        case .openQuote: "a quoted field is not closed"
        case .textAfterQuote: "there is text between a closing quote and the next comma"
        case .strayQuote: "a quote stands inside a field that doesn't begin with one"
        }
    }
}
