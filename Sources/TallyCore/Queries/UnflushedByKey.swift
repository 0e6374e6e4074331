// SPDX-License-Identifier: Apache-2.0

/// Rows that are not flushed yet, to be taken out where their stored ones are met.
package struct UnflushedByKey {
    private var rows: [LogID: [RowKey: Row]]

    /// - Parameter unflushed: each key of a log at most once.
    package init(_ unflushed: [StoredRow]) {
        rows = Dictionary(grouping: unflushed, by: \.log).mapValues { rows in
            Dictionary(rows.map { ($0.row.key, $0.row) }, uniquingKeysWith: { first, _ in first })
        }
    }

    package mutating func take(_ log: LogID, _ key: RowKey) -> Row? { rows[log]?.removeValue(forKey: key) }

    /// Those that were not taken, in no particular order.
    package var rest: [StoredRow] {
        rows.flatMap { log, rows in rows.values.map { StoredRow(log: log, row: $0) } }
    }
}
