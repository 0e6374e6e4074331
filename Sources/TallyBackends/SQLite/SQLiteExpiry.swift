// SPDX-License-Identifier: Apache-2.0

import GRDB
import TallyCore

/// Makes the old rows of a log coarser, and deletes the oldest: a few series in each transaction, in the order of the primary
/// key. An hour becomes its totals within one transaction, so that whoever reads sees it either way, and whole.
struct SQLiteExpiry: Sendable {
    /// Of one transaction.
    private static let series = 200

    let table: SQLiteCountTable
    let log: LogID

    private struct Series {
        var banner: Int64
        var kind: Int64
        static let start = Series(banner: .min, kind: .min)
    }

    func run(before horizon: Horizon, in store: SQLiteStore) async throws(StoreError) {
        let (number, marked) = try await store.write { database in try mark(horizon, in: database) }
        var last: Series? = .start
        while let next = last {
            last = try await store.write { database in
                try expire(log: number, before: marked, seriesAfter: next, in: database)
            }
        }
        try await store.write { database in
            try database.execute(
                sql: "UPDATE logs SET expired_before = ? WHERE log_id = ?",
                arguments: [marked.collapsed.unixSeconds, number])
        }
        try await store.dropSightings(before: Day(of: marked.dropped))
    }

    /// From now on merges leave out what is before it, so that nothing is begun anew where rows go away.
    private func mark(_ horizon: Horizon, in database: Database) throws -> (log: Int64, horizon: Horizon) {
        var names = try SQLiteNames(in: database)
        let number = try names.logs.number(of: log, in: database)
        let marked = horizon.merged(with: try SQLiteExpiry.horizon(ofLog: number, in: database))
        try database.execute(
            sql: "UPDATE logs SET collapsed_before = ?, dropped_before = ? WHERE log_id = ?",
            arguments: [marked.collapsed.unixSeconds, marked.dropped.unixSeconds, number])
        return (number, marked)
    }

    /// The log's, as it was marked last.
    static func horizon(ofLog number: Int64, in database: Database) throws -> Horizon {
        let row = try GRDB.Row.fetchOne(
            database, sql: "SELECT collapsed_before, dropped_before FROM logs WHERE log_id = ?", arguments: [number])
        guard let row else { return .none }
        return Horizon(collapsed: try row.start(at: 0, layout: .hour), dropped: try row.start(at: 1, layout: .hour))
    }

    /// - Returns: the last series that was looked at; nil at the end.
    private func expire(
        log number: Int64, before horizon: Horizon, seriesAfter last: Series, in database: Database
    ) throws -> Series? {
        let from = try Int64.fetchOne(
            database, sql: "SELECT expired_before FROM logs WHERE log_id = ?", arguments: [number])
        let next = try database.cachedStatement(
            sql: """
                SELECT banner_id, kind FROM \(table.name) WHERE (banner_id, kind) > (?, ?)
                ORDER BY banner_id, kind LIMIT 1
                """)
        var series = last
        for _ in 0..<SQLiteExpiry.series {
            guard let row = try GRDB.Row.fetchOne(next, arguments: [series.banner, series.kind]) else { return nil }
            series = Series(banner: try row.integer(at: 0, "a banner_id"), kind: try row.integer(at: 1, "a kind"))
            try collapse(series, log: number, from: from ?? 0, before: horizon, in: database)
            try drop(series, log: number, before: horizon, in: database)
        }
        return series
    }

    private func collapse(
        _ series: Series, log number: Int64, from: Int64, before horizon: Horizon, in database: Database
    ) throws {
        let old = "banner_id = ? AND kind = ? AND \(table.timestamp) >= ? AND \(table.timestamp) < ? AND log = ?"
        let arguments: StatementArguments = [
            series.banner, series.kind, max(from, horizon.dropped.unixSeconds), horizon.collapsed.unixSeconds, number,
        ]
        let select = try database.cachedStatement(sql: "SELECT \(table.columns) FROM \(table.name) WHERE \(old)")
        let names = try SQLiteNames(in: database)
        var rows: [TallyCore.Row] = []
        let cursor = try GRDB.Row.fetchCursor(select, arguments: arguments)
        while let row = try cursor.next() { rows.append(try table.storedRow(from: row, names: names).row) }
        if rows.isEmpty { return }
        try database.cachedStatement(sql: "DELETE FROM \(table.name) WHERE \(old)").execute(arguments: arguments)
        let insert = try database.cachedStatement(sql: table.merge)
        for row in TallyCore.Row.collapsed(rows) {
            try table.merge(row, kind: series.kind, log: number, with: insert)
        }
    }

    private func drop(_ series: Series, log number: Int64, before horizon: Horizon, in database: Database) throws {
        let delete = try database.cachedStatement(
            sql: "DELETE FROM \(table.name) WHERE banner_id = ? AND kind = ? AND \(table.timestamp) < ? AND log = ?")
        try delete.execute(arguments: [series.banner, series.kind, horizon.dropped.unixSeconds, number])
    }
}
