// SPDX-License-Identifier: Apache-2.0

import GRDB
import TallyCore

/// What a conversion needs of a store beyond the contracts.
extension SQLiteStore {
    /// A place in the order of the primary key: behind the row with these numbers.
    struct Position: Sendable {
        var banner: Int64
        var kind: Int64
        var timestamp: Int64
        var log: Int64

        static let start = Position(banner: .min, kind: .min, timestamp: .min, log: .min)
    }

    /// A banner and a kind, by name.
    struct Series: Hashable, Sendable {
        var banner: BannerID
        var kind: Kind
    }

    /// How many rows there are, of all logs.
    func rowCount() async throws(StoreError) -> Int {
        let table = SQLiteCountTable(layout: layout)
        return try await read { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM \(table.name)") ?? 0 }
    }

    /// The next rows in the order of the primary key, and the place behind them.
    func rows(after position: Position, limit: Int) async throws(StoreError) -> (rows: [StoredRow], next: Position) {
        let table = SQLiteCountTable(layout: layout)
        return try await read { database in
            let names = try SQLiteNames(in: database)
            let key = "banner_id, kind, \(table.timestamp), log"
            let statement = try database.cachedStatement(
                sql: "SELECT \(table.columns) FROM \(table.name) WHERE (\(key)) > (?, ?, ?, ?) ORDER BY \(key) LIMIT ?")
            let cursor = try Row.fetchCursor(
                statement, arguments: [position.banner, position.kind, position.timestamp, position.log, limit])
            var rows: [StoredRow] = []
            var next = position
            while let row = try cursor.next() {
                rows.append(try table.storedRow(from: row, names: names))
                next = Position(
                    banner: try row.integer(at: 0, "a banner_id"), kind: try row.integer(at: 1, "a kind"),
                    timestamp: try row.integer(at: 2, "a timestamp"), log: try row.integer(at: 3, "a log"))
            }
            return (rows, next)
        }
    }

    /// Merges rows of several logs.
    func merge(_ rows: [StoredRow]) async throws(StoreError) {
        for (log, rows) in Dictionary(grouping: rows, by: \.log) { try await merge(rows.map(\.row), of: log) }
    }

    /// The sums of all rows by banner and kind, not cut to what a counter holds.
    func exactSums() async throws(StoreError) -> [Series: Int128] {
        let table = SQLiteCountTable(layout: layout)
        return try await read { database in
            var sums: [Series: Int128] = [:]
            try SQLiteRangeReader(.everything, of: table, in: database).forEachRow { stored in
                let series = Series(banner: stored.row.key.banner, kind: stored.row.key.kind)
                for (_, count) in stored.row.minuteCounts { sums[series, default: 0] += Int128(count) }
            }
            return sums
        }
    }

    /// Takes over from where on the logs are kept by the minute, once their counts are there.
    func copyHorizons(from path: String) async throws(StoreError) {
        let columns = SQLiteSchema.horizons.map {
            "\($0) = (SELECT \($0) FROM old.logs WHERE old.logs.log_id = main.logs.log_id)"
        }
        try await withoutTransaction { database in
            try database.execute(sql: "ATTACH DATABASE ? AS old", arguments: [path])
            try database.execute(sql: "UPDATE main.logs SET \(columns.joined(separator: ", "))")
            try database.execute(sql: "DETACH DATABASE old")
        }
    }

    /// Takes over the names, checkpoints and banners of the store at `path`; this store is new.
    func copyAllButCounts(from path: String) async throws(StoreError) {
        try await withoutTransaction { database in
            try database.execute(sql: "ATTACH DATABASE ? AS old", arguments: [path])
            try database.inTransaction {
                for (table, columns) in SQLiteSchema.tablesWithoutCounts {
                    try database.execute(
                        sql: "INSERT INTO main.\(table) (\(columns)) SELECT \(columns) FROM old.\(table)")
                }
                return .commit
            }
            try database.execute(sql: "DETACH DATABASE old")
        }
    }
}
