// SPDX-License-Identifier: Apache-2.0

/// A chart of block characters, several lines high: a column for each value, as high as its share of the largest.
enum BlockChart {
    static let height = 8

    private static let blocks = Array(" ▁▂▃▄▅▆▇█")

    /// - Parameters:
    ///   - values: not negative, at least one.
    ///   - ends: what stands under the first and the last.
    ///   - width: of the terminal; neighbours are summed to fit.
    /// - Returns: lines that end with a line feed; nothing when there is no room.
    static func text(_ values: [Int64], ends: (first: String, last: String), width: Int) -> String {
        guard let largestValue = values.max() else { return "" }
        // Sums of neighbours are larger, need more room for their label, and leave less for columns.
        var label = NumberText.grouped(largestValue)
        var summed = values
        while width >= label.count + 12 {
            summed = Sparkline.narrowed(values, to: width - label.count - 2)
            let next = NumberText.grouped(summed.max() ?? 0)
            if next.count <= label.count { break }
            label = next
        }
        guard width >= label.count + 12, let largest = summed.max() else { return "" }
        label = NumberText.grouped(largest)
        let margin = label.count + 2
        // Few values get wider columns, so that a chart of three hours is no sliver.
        let thickness = max(1, min(6, (width - margin) / summed.count))
        let lines = (0..<height).map { line -> String in
            let columns = summed.map { value in
                String(repeating: block(value, of: largest, line: height - 1 - line), count: thickness)
            }
            let name = line == 0 ? label : line == height - 1 ? "0" : ""
            return trimmed(padded(name, to: label.count) + " ▕" + columns.joined())
        }
        let axis = self.axis(ends, width: summed.count * thickness, margin: margin)
        return (lines + [axis]).map { $0 + "\n" }.joined()
    }

    /// The part of a column that stands in this line, from 0 at the bottom.
    private static func block(_ value: Int64, of largest: Int64, line: Int) -> Character {
        guard largest > 0, value > 0 else { return blocks[0] }
        // What is there is seen, however small.
        let eighths = max(1, Int((Double(value) / Double(largest) * Double(height * 8)).rounded()))
        return blocks[min(8, max(0, eighths - line * 8))]
    }

    private static func axis(_ ends: (first: String, last: String), width: Int, margin: Int) -> String {
        let space = width - ends.first.count - ends.last.count
        let margin = String(repeating: " ", count: margin)
        return margin
            + (space > 0
                ? ends.first + String(repeating: " ", count: space) + ends.last : String(ends.first.prefix(width)))
    }

    private static func padded(_ text: String, to width: Int) -> String {
        String(repeating: " ", count: width - text.count) + text
    }

    private static func trimmed(_ line: String) -> String {
        line.lastIndex { $0 != " " }.map { String(line[...$0]) } ?? ""
    }
}
