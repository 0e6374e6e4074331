// SPDX-License-Identifier: Apache-2.0

/// Keeps spreadsheets from taking a cell of CSV for a formula (OWASP, "CSV injection").
///
/// Spreadsheets evaluate a cell that begins with one of `starts`. An apostrophe before it makes the cell text. A cell that begins
/// with apostrophes before one of `starts` gets a further apostrophe, so `restored` gives back what `neutralised` was given.
enum FormulaCell {
    /// With the full-width forms, which some spreadsheets take for the same.
    private static let starts: Set<Unicode.Scalar> = [
        "=", "+", "-", "@", "\t", "\r", "\n", "\u{FF1D}", "\u{FF0B}", "\u{FF0D}", "\u{FF20}",
    ]

    static func neutralised(_ cell: String) -> String { isFormula(cell.unicodeScalars[...]) ? "'" + cell : cell }

    static func restored(_ cell: String) -> String {
        let scalars = cell.unicodeScalars
        guard scalars.first == "'", isFormula(scalars.dropFirst()) else { return cell }
        return String(scalars.dropFirst())
    }

    /// Whether one of `starts` stands behind any number of apostrophes.
    private static func isFormula(_ cell: Substring.UnicodeScalarView) -> Bool {
        cell.first { $0 != "'" }.map(starts.contains) ?? false
    }
}
