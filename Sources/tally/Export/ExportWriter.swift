// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// Writes rows as text, in the chosen columns.
struct ExportWriter: Sendable {
    let format: ExportFormat
    let columns: [ExportColumn]
    /// Cells of CSV that a spreadsheet takes for formulas are written as they are.
    var isRaw = false

    /// nil where the format has no header.
    var header: String? {
        switch format {
        case .csv: DelimitedText.csv.row(columns.map(\.header), isRaw: isRaw)
        case .tsv: DelimitedText.tsv.row(columns.map(\.header))
        case .ndjson: nil
        }
    }

    /// With its end of line.
    func text(_ row: ExportRow) -> String {
        let cells = cells(of: row)
        switch format {
        case .csv: return DelimitedText.csv.row(cells.map(\.text), isRaw: isRaw)
        case .tsv: return DelimitedText.tsv.row(cells.map(\.text))
        case .ndjson:
            let pairs = zip(columns, cells).map { "\(JSONText.string($0.header)):\(ExportWriter.json($1))" }
            return "{" + pairs.joined(separator: ",") + "}\n"
        }
    }

    private func cells(of row: ExportRow) -> [ExportRow.Field] {
        var key = row.key[...]
        return columns.map { column in
            switch column.source {
            case .minute: row.minute.map { .text(ExactText($0.text())) } ?? .none
            case .count: .number(row.count)
            case .banner, .name, .kind: key.popFirst() ?? .none
            }
        }
    }

    private static func json(_ field: ExportRow.Field) -> String {
        switch field {
        case .number(let number): String(number)
        case .text(let text): JSONText.string(text.text)
        case .none: "null"
        }
    }
}
