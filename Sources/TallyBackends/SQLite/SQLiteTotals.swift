// SPDX-License-Identifier: Apache-2.0

import GRDB
import TallyCore

/// Sums up a range in one transaction, as if some rows that are not flushed yet stood in the table.
struct SQLiteTotals {
    let reader: SQLiteRangeReader
    /// Those of the range.
    private let unflushed: [StoredRow]

    init(reader: SQLiteRangeReader, unflushed: [StoredRow]) {
        self.reader = reader
        self.unflushed = unflushed.filter { reader.range.overlaps($0.row.key, layout: reader.table.layout) }
    }

    func totals() throws -> [Total] {
        switch reader.table.layout {
        case .minute: try sumInSQL()
        case .hour: try sumRows().totals
        }
    }

    /// Reads every row of the range, and takes the newer one where there are two.
    private func sumRows() throws -> TotalSums {
        var newer = UnflushedByKey(unflushed)
        var sums = TotalSums()
        try reader.forEachRow { stored in
            var row = stored.row
            if let other = newer.take(stored.log, row.key), other.upTo > row.upTo { row = other }
            sums.add(row, within: reader.range.minutes)
        }
        for one in newer.rest { sums.add(one.row, within: reader.range.minutes) }
        return sums
    }

    /// Lets SQLite add up the table, and then corrects the sums by each newer row.
    private func sumInSQL() throws -> [Total] {
        var sums = try SQLiteMinuteSums(reading: reader)
        for one in unflushed {
            let row = one.row
            var stored: TallyCore.Row?
            if let log = reader.names.logs.numbers[one.log], let kind = reader.names.kinds.numbers[row.key.kind] {
                stored = try reader.table.row(at: row.key, kind: kind, log: log, in: reader.database)
            }
            if let stored, stored.upTo >= row.upTo { continue }
            sums.replace(stored, by: row)
        }
        // Only a count that fell to 0 can make the span of a sum shorter; then its rows have to be read.
        if sums.hasUncertainSpan { return try sumRows().totals }
        return sums.totals
    }
}

/// Exact sums by banner and kind over rows of the layout `minute`, before they are cut to what a counter holds.
struct SQLiteMinuteSums {
    private struct Key: Hashable {
        let banner: BannerID
        let kind: Kind
    }

    private struct Sum {
        var count: Int128 = 0
        /// nil when nothing was counted.
        var minutes: ClosedRange<Minute>?
    }

    private var sums: [Key: Sum] = [:]
    /// A minute that had a count lost it, so that the first or last minute of its sum may be another.
    private(set) var hasUncertainSpan = false

    /// Adds the halves of the counts apart, since SQLite's SUM fails beyond 63 bits.
    init(reading reader: SQLiteRangeReader) throws {
        let select = """
            SELECT banner_id, kind, MIN(minute_timestamp), MAX(minute_timestamp),
                SUM(count >> 32), SUM(count & 4294967295), MIN(count)
            FROM minute_counts
            """
        // A minute without a count is none in which something was counted.
        try reader.forEach(select: select, then: "AND count <> 0 GROUP BY banner_id, kind") { row in
            try add(row, of: reader)
        }
    }

    private mutating func add(_ row: GRDB.Row, of reader: SQLiteRangeReader) throws {
        let key = Key(banner: try row.banner(at: 0), kind: try reader.names.kinds[try row.integer(at: 1, "a kind")])
        guard reader.range.contains(key.banner, key.kind) else { return }
        let first = try row.start(at: 2, layout: .minute)
        let last = try row.start(at: 3, layout: .minute)
        guard try row.integer(at: 6, "a count") >= 0 else {
            throw SQLiteDamage("minute_counts has a count less than 0 of banner \(key.banner), \(key.kind)")
        }
        let high = Int128(try row.integer(at: 4, "a sum"))
        let low = Int128(try row.integer(at: 5, "a sum"))
        sums[key] = Sum(count: high << 32 + low, minutes: first...last)
    }

    mutating func replace(_ stored: TallyCore.Row?, by row: TallyCore.Row) {
        let before = stored?.counts.total ?? 0
        let after = row.counts.total
        if before > 0, after == 0 { hasUncertainSpan = true }
        let key = Key(banner: row.key.banner, kind: row.key.kind)
        sums[key, default: Sum()].count += Int128(after) - Int128(before)
        guard after > 0 else { return }
        let minute = row.key.start
        let span = sums[key]?.minutes ?? minute...minute
        sums[key]?.minutes = min(span.lowerBound, minute)...max(span.upperBound, minute)
    }

    /// In no particular order.
    var totals: [Total] {
        sums.compactMap { key, sum in
            guard let minutes = sum.minutes else { return nil }
            return Total(banner: key.banner, kind: key.kind, count: Int64(clamping: sum.count), minutes: minutes)
        }
    }
}
