// SPDX-License-Identifier: Apache-2.0

import GRDB
import TallyCore

/// The rows of one banner and kind: neighbours in the primary key.
struct SQLiteSeries: Hashable, Sendable {
    let banner: BannerID
    let kind: Int64
}

/// Finds the rows of a range by the primary key (banner, kind, timestamp, log), inside one transaction.
///
/// A range of minutes lies scattered over all series. So each series is sought on its own, as long as these are few for
/// the size of the file; when there are many with few rows each, reading the whole table in order is faster.
struct SQLiteRangeReader {
    /// Seeking a series costs about as much as reading a page: 30 µs against 0.2 µs for each of some 200 rows.
    private static let seriesPerPage: Int64 = 1
    /// So few are sought in any case.
    private static let fewSeries: Int64 = 1_000

    private enum Access {
        case seek([SQLiteSeries])
        case scan
    }

    let database: Database
    let table: SQLiteCountTable
    let names: SQLiteNames
    let range: RowRange
    private let access: Access
    /// The seconds at which rows of the range begin.
    private let seconds: (first: Int64, last: Int64)

    init(_ range: RowRange, of table: SQLiteCountTable, in database: Database) throws {
        let names = try SQLiteNames(in: database)
        self.database = database
        self.table = table
        self.names = names
        self.range = range
        self.access = try SQLiteRangeReader.access(to: range, of: table, names: names, in: database)
        let first = table.layout.rowStart(of: range.minutes.lowerBound)
        self.seconds = (first.unixSeconds, range.minutes.upperBound.unixSeconds)
    }

    /// Calls `body` for each row of the range.
    func forEachRow(_ body: (StoredRow) throws -> Void) throws {
        let select = "SELECT \(table.columns) FROM \(table.name)"
        try forEach(select: select) { row in
            let stored = try table.storedRow(from: row, names: names)
            if range.contains(stored.row.key.banner, stored.row.key.kind) { try body(stored) }
        }
    }

    /// Selects from the rows of the range, of one series after the other or of all at once, and perhaps of series that
    /// are not in the range. `rest` are further conditions and the grouping.
    func forEach(select: String, then rest: String = "", _ body: (GRDB.Row) throws -> Void) throws {
        switch access {
        case .scan where range.ids == RowRange.allIDs:
            let sql = "\(select) WHERE \(table.timestamp) BETWEEN ? AND ? \(rest)"
            try forEach(sql, [seconds.first, seconds.last], body)
        case .scan:
            let sql = "\(select) WHERE banner_id BETWEEN ? AND ? AND \(table.timestamp) BETWEEN ? AND ? \(rest)"
            let (first, last) = (range.ids.lowerBound.value, range.ids.upperBound.value)
            try forEach(sql, [first, last, seconds.first, seconds.last], body)
        case .seek(let series):
            let sql = "\(select) WHERE banner_id = ? AND kind = ? AND \(table.timestamp) BETWEEN ? AND ? \(rest)"
            for one in series { try forEach(sql, [one.banner.value, one.kind, seconds.first, seconds.last], body) }
        }
    }

    private func forEach(_ sql: String, _ arguments: StatementArguments, _ body: (GRDB.Row) throws -> Void) throws {
        let rows = try GRDB.Row.fetchCursor(try database.cachedStatement(sql: sql), arguments: arguments)
        while let row = try rows.next() { try body(row) }
    }

    private static func access(
        to range: RowRange, of table: SQLiteCountTable, names: SQLiteNames, in database: Database
    ) throws -> Access {
        if range == .everything { return .scan }
        let pages = try Int64.fetchOne(database, sql: "PRAGMA page_count") ?? 0
        let most = max(pages * seriesPerPage, fewSeries)
        if let banners = range.banners {
            let kinds = names.kinds.numbers.filter { range.kinds?.contains($0.key) ?? true }.map(\.value)
            guard Int64(banners.count) * Int64(kinds.count) <= most else { return .scan }
            return .seek(
                banners.filter(range.ids.contains).flatMap { banner in
                    kinds.map { SQLiteSeries(banner: banner, kind: $0) }
                })
        }
        guard let series = try allSeries(of: table, ids: range.ids, most: most, in: database) else { return .scan }
        return .seek(try series.filter { range.contains($0.banner, try names.kinds[$0.kind]) })
    }

    /// Leaps from each series to the next.
    /// - Returns: nil when there are more than `most`.
    private static func allSeries(
        of table: SQLiteCountTable, ids: ClosedRange<BannerID>, most: Int64, in database: Database
    ) throws -> [SQLiteSeries]? {
        let sql = """
            SELECT banner_id, kind FROM \(table.name)
            WHERE (banner_id, kind) > (?, ?) AND banner_id <= ? ORDER BY banner_id, kind LIMIT 1
            """
        let statement = try database.cachedStatement(sql: sql)
        var found: [SQLiteSeries] = []
        var last: (banner: Int64, kind: Int64) = (ids.lowerBound.value, .min)
        while let row = try GRDB.Row.fetchOne(
            statement, arguments: [last.banner, last.kind, ids.upperBound.value])
        {
            guard found.count < most else { return nil }
            let series = SQLiteSeries(banner: try row.banner(at: 0), kind: try row.integer(at: 1, "a kind"))
            found.append(series)
            last = (series.banner.value, series.kind)
        }
        return found
    }
}
