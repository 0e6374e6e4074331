// SPDX-License-Identifier: Apache-2.0

/// A tiny chart on one line: a block for each value, as high as its share of the largest.
enum Sparkline {
    private static let blocks = Array("▁▂▃▄▅▆▇█")

    /// - Parameters:
    ///   - values: not negative.
    ///   - width: at most so many characters; neighbours are summed to fit.
    static func text(_ values: [Int64], width: Int) -> String {
        precondition(width >= 1, "a chart has a width")
        let sums = narrowed(values, to: width)
        guard let largest = sums.max(), largest > 0 else { return String(repeating: blocks[0], count: sums.count) }
        return String(
            sums.map { blocks[min(blocks.count - 1, Int(Double($0) / Double(largest) * Double(blocks.count)))] })
    }

    static func narrowed(_ values: [Int64], to width: Int) -> [Int64] {
        let share = (values.count + width - 1) / width
        guard share > 1 else { return values }
        return stride(from: 0, to: values.count, by: share).map { start in
            values[start..<min(start + share, values.count)].reduce(0) { sum, value in
                let (total, overflow) = sum.addingReportingOverflow(value)
                return overflow ? .max : total
            }
        }
    }
}
