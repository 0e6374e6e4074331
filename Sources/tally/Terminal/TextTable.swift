// SPDX-License-Identifier: Apache-2.0

/// Rows under a header, each column as wide as its widest cell. Columns of numbers stand to the right.
struct TextTable {
    var header: [String]
    /// As many cells each as the header has; already plain text.
    var rows: [[String]]
    /// The columns that stand to the right.
    var numeric: Set<Int> = []

    var text: String {
        let lines = [header] + rows
        let widths = header.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        return lines.map { line(of: $0, widths: widths) + "\n" }.joined()
    }

    private func line(of cells: [String], widths: [Int]) -> String {
        let padded = cells.indices.map { column in
            let space = String(repeating: " ", count: widths[column] - cells[column].count)
            return numeric.contains(column) ? space + cells[column] : cells[column] + space
        }
        let line = padded.joined(separator: "  ")
        guard let last = line.lastIndex(where: { $0 != " " }) else { return "" }
        return String(line[...last])
    }
}
