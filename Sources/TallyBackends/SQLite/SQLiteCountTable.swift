// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import TallyCore

/// The table that holds the counts in one layout: its statements, and the way between its rows and values.
struct SQLiteCountTable: CountColumns, Sendable {
    let layout: Layout

    var name: String {
        switch layout {
        case .minute: "minute_counts"
        case .hour: "hour_counts"
        }
    }

    /// The one rule.
    var merge: String {
        """
        INSERT INTO \(name) (banner_id, kind, \(timestamp), log, \(counts), up_to) VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT (banner_id, kind, \(timestamp), log)
        DO UPDATE SET \(counts) = excluded.\(counts), up_to = excluded.up_to WHERE excluded.up_to > \(name).up_to
        """
    }

    var selectOne: String {
        "SELECT \(counts), up_to FROM \(name) WHERE banner_id = ? AND kind = ? AND \(timestamp) = ? AND log = ?"
    }

    func merge(
        _ rows: some Collection<TallyCore.Row>, of log: LogID, in database: Database
    ) throws -> RowConflicts {
        var names = try SQLiteNames(in: database)
        let log = try names.logs.number(of: log, in: database)
        let horizon = try SQLiteExpiry.horizon(ofLog: log, in: database)
        let statement = try database.cachedStatement(sql: merge)
        var conflicts = RowConflicts()
        for row in rows where row.key.start >= horizon.collapsed {
            let kind = try names.kinds.number(of: row.key.kind, in: database)
            try merge(row, kind: kind, log: log, with: statement)
            // A row that was written cannot conflict, so a flush of new rows reads nothing.
            if database.changesCount > 0 { continue }
            let stored = try self.row(at: row.key, kind: kind, log: log, in: database)
            if let conflict = RowConflict(stored: stored, given: row) { conflicts.add(conflict) }
        }
        return conflicts
    }

    func merge(_ row: TallyCore.Row, kind: Int64, log: Int64, with statement: Statement) throws {
        let key = row.key
        switch row.counts {
        case .minute(let count):
            try statement.execute(
                arguments: [key.banner.value, kind, key.start.unixSeconds, log, count, row.upTo.value])
        case .hour(let counts):
            let packed = Data(PackedHour.encode(counts))
            try statement.execute(
                arguments: [key.banner.value, kind, key.start.unixSeconds, log, packed, row.upTo.value])
        }
    }

    func row(at key: RowKey, kind: Int64, log: Int64, in database: Database) throws -> TallyCore.Row? {
        let statement = try database.cachedStatement(sql: selectOne)
        let arguments: StatementArguments = [key.banner.value, kind, key.start.unixSeconds, log]
        guard let row = try GRDB.Row.fetchOne(statement, arguments: arguments) else { return nil }
        return TallyCore.Row(key: key, counts: try counts(from: row, at: 0), upTo: try row.offset(at: 1))
    }

    func storedRow(from row: GRDB.Row, names: SQLiteNames) throws -> StoredRow {
        let key = RowKey(
            banner: try row.banner(at: 0), kind: try names.kinds[try row.integer(at: 1, "a kind")],
            start: try row.start(at: 2, layout: layout))
        let log = try names.logs[try row.integer(at: 3, "a log")]
        let counts = try counts(from: row, at: 4)
        return StoredRow(log: log, row: TallyCore.Row(key: key, counts: counts, upTo: try row.offset(at: 5)))
    }

    private func counts(from row: GRDB.Row, at index: Int) throws -> RowCounts {
        switch layout {
        case .minute:
            let count = try row.integer(at: index, "a count")
            guard count >= 0 else { throw SQLiteDamage("\(name) has the count \(count), less than 0") }
            return .minute(count)
        case .hour:
            do {
                return .hour(try PackedHour.decode(try row.bytes(at: index, "a count_by_minute")))
            } catch let error as PackedHourError {
                throw SQLiteDamage("\(name) has \(error)")
            }
        }
    }
}
