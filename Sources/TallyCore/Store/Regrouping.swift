// SPDX-License-Identifier: Apache-2.0

/// Turns rows of one layout into rows of the other. No I/O; rows come in the order of (banner, kind, start).
///
/// - To `minute`: each minute of an hour has the hour's `upTo`, as it says what the log holds up to there. A minute
///   without a count gets no row, which says the same.
/// - To `hour`: an hour's `upTo` is the highest of its minutes'. That is right as long as no row is beyond its log's
///   checkpoint: up to there, each minute's row is all that the log holds of it, whatever its own `upTo`.
package struct Regrouping: Sendable {
    package let layout: Layout
    /// The hour that is being put together, for each log that has counts in it.
    private var hour: [LogID: Row] = [:]
    private var hourKey: RowKey?

    package init(to layout: Layout) { self.layout = layout }

    /// - Returns: the rows that are complete.
    package mutating func add(_ stored: StoredRow) -> [StoredRow] {
        switch layout {
        case .minute: Regrouping.minutes(of: stored)
        case .hour: addMinute(stored)
        }
    }

    /// All rows of some series at once, in any order.
    package static func regroup(_ rows: [StoredRow], to layout: Layout) -> [StoredRow] {
        var regrouping = Regrouping(to: layout)
        let sorted = rows.sorted { $0.row.key < $1.row.key }
        return sorted.flatMap { $0.row.counts.layout == layout ? [$0] : regrouping.add($0) } + regrouping.finish()
    }

    /// - Returns: the last rows.
    package mutating func finish() -> [StoredRow] {
        defer { hour = [:] }
        return hour.map { StoredRow(log: $0.key, row: $0.value) }
    }

    private static func minutes(of stored: StoredRow) -> [StoredRow] {
        stored.row.minuteCounts.map { minute, count in
            var key = stored.row.key
            key.start = minute
            return StoredRow(log: stored.log, row: Row(key: key, counts: .minute(count), upTo: stored.row.upTo))
        }
    }

    private mutating func addMinute(_ stored: StoredRow) -> [StoredRow] {
        var key = stored.row.key
        key.start = Layout.hour.rowStart(of: key.start)
        let complete = key == hourKey ? [] : finish()
        hourKey = key
        var row = hour.removeValue(forKey: stored.log) ?? Row(key: key, counts: .zero(.hour), upTo: .none)
        let index = Int(stored.row.key.start.sinceEpoch - key.start.sinceEpoch)
        row.counts[index] = stored.row.counts.total
        row.upTo = max(row.upTo, stored.row.upTo)
        hour[stored.log] = row
        return complete
    }
}
