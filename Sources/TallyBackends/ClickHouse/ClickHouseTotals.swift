// SPDX-License-Identifier: Apache-2.0

import NIOCore
import TallyCore

/// Sums up a range in one statement, as if some rows that are not flushed yet stood in the table.
///
/// The server adds up all rows but those that have a newer one here; of these it tells what they are. It must be one
/// statement with one reading of the table: between two, a flush could bring a row that the one has missed and the other
/// leaves out.
struct ClickHouseTotals {
    let table: ClickHouseCountTable
    let range: RowRange
    private let unflushed: [StoredRow]
    private let hasHorizons: Bool

    /// - Parameter unflushed: those outside of the range are left out.
    init(
        _ range: RowRange, of table: ClickHouseCountTable, with unflushed: [StoredRow], hasHorizons: Bool
    ) {
        self.hasHorizons = hasHorizons
        self.table = table
        self.range = range
        self.unflushed = unflushed.filter { range.overlaps($0.row.key, layout: table.layout) }
    }

    /// Rows of: banner, kind, the log and the start of the row that they are about or '' and -1 for all others, the first and the last minute
    /// with a count, the two halves of the sum, the smallest count, the number of minutes with a count, up_to.
    var statement: ClickHouseStatement {
        let condition = ClickHouseCondition(range, of: table)
        var tables = condition.tables
        var mark = (log: "''", start: "toInt64(-1)")
        if !unflushed.isEmpty {
            tables.append(table.keys(unflushed, named: "unflushed"))
            let isMarked = "(toString(log), banner_id, kind, \(table.timestamp)) IN unflushed"
            mark.log = "if(\(isMarked), toString(log), '')"
            mark.start = "if(\(isMarked), \(table.timestamp), \(mark.start))"
        }
        let rows = table.rows(where: condition.sql, hasHorizons: hasHorizons)
        let (source, minute) = table.minutes(of: rows)
        // The first and the last hour may reach beyond the range; a row of a minute doesn't.
        let within = "\(range.minutes.lowerBound.unixSeconds) AND \(range.minutes.upperBound.unixSeconds)"
        let rest = table.layout == .hour ? "WHERE \(minute) BETWEEN \(within)" : ""
        return .select(select(mark, from: source, minute: minute, rest), with: tables)
    }

    private func select(_ mark: (log: String, start: String), from source: String, minute: String, _ rest: String)
        -> String
    {
        """
        SELECT banner_id, kind, \(mark.log) AS marked_log, \(mark.start) AS marked, toInt64(minIf(\(minute), count <> 0)), toInt64(maxIf(\(minute), count <> 0)),
        \(ClickHouseCountTable.halves), min(count), toUInt64(sum(count <> 0)), max(up_to)
        FROM \(source) \(rest) GROUP BY banner_id, kind, marked_log, marked
        """
    }

    /// - Parameter answer: to `statement`.
    func totals(from answer: ByteBuffer) throws(ClickHouseDamage) -> [Total] {
        var sums = TotalSums()
        var newer = UnflushedByKey(unflushed)
        var reader = RowBinaryReader(answer)
        var kinds = ClickHouseNames.kinds
        while !reader.isAtEnd {
            let part = try Part(from: &reader, kinds: &kinds)
            if let (log, start) = part.marked {
                let key = RowKey(banner: part.banner, kind: part.kind, start: start)
                guard let row = newer.take(log, key) else {
                    throw ClickHouseDamage("a sum came back that was not asked for")
                }
                if row.upTo > part.upTo {
                    sums.add(row, within: range.minutes)
                    continue
                }
            }
            if let minutes = part.minutes {
                sums.add(Int64(clamping: part.count), banner: part.banner, kind: part.kind, minutes: minutes)
            }
        }
        for one in newer.rest { sums.add(one.row, within: range.minutes) }
        return sums.totals
    }

    /// One row of the answer.
    private struct Part {
        let banner: BannerID
        let kind: Kind
        /// nil when it sums up many rows.
        let marked: (log: LogID, start: Minute)?
        /// nil when nothing was counted.
        let minutes: ClosedRange<Minute>?
        let count: Int128
        let upTo: LogOffset

        init(from reader: inout RowBinaryReader, kinds: inout ClickHouseNames<Kind>) throws(ClickHouseDamage) {
            banner = try reader.readBanner()
            kind = try kinds.read(from: &reader)
            let log = LogID(String(decoding: try reader.readBytes(), as: UTF8.self))
            let mark: Int64 = try reader.read()
            marked = log.flatMap { log in Minute(unixSeconds: mark).map { (log, $0) } }
            let first: Int64 = try reader.read()
            let last: Int64 = try reader.read()
            let high: Int64 = try reader.read()
            let low: Int64 = try reader.read()
            _ = try reader.readCount()
            let counted: UInt64 = try reader.read()
            upTo = try reader.readOffset()
            count = Int128(high) << 32 + Int128(low)
            guard counted > 0 else {
                minutes = nil
                return
            }
            guard let first = Minute(unixSeconds: first), let last = Minute(unixSeconds: last), first <= last else {
                throw ClickHouseDamage("counts of banner \(banner), \(kind), outside of 1970 to 9999")
            }
            minutes = first...last
        }
    }
}
