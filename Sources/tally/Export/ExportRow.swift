// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// A row of an export: the minute, if it is a column, what stands in the other key columns, and the sum.
struct ExportRow: Equatable, Sendable {
    /// nil when the minute is no column.
    let minute: Minute?
    /// In the order of the columns.
    let key: [Field]
    var count: Int64

    /// A cell of a key column.
    enum Field: Hashable, Sendable {
        case number(Int64)
        case text(ExactText)
        /// The name of a banner that has none.
        case none

        var text: String {
            switch self {
            case .number(let number): String(number)
            case .text(let text): text.text
            case .none: ""
            }
        }
    }
}

extension ExportRow: Comparable {
    /// By the minute, then by the bytes of each other column: the order of `LC_ALL=C sort`, on any machine.
    static func < (left: ExportRow, right: ExportRow) -> Bool {
        if let leftMinute = left.minute, let rightMinute = right.minute, leftMinute != rightMinute {
            return leftMinute < rightMinute
        }
        for (leftField, rightField) in zip(left.key, right.key) where leftField != rightField {
            return leftField.text.utf8.lexicographicallyPrecedes(rightField.text.utf8)
        }
        return false
    }
}
