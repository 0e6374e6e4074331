// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import TallyCore

/// The table `checkpoints`.
enum SQLiteCheckpoints {
    static func checkpoint(of log: LogID, in database: Database) throws -> Checkpoint? {
        let statement = try database.cachedStatement(
            sql: "SELECT up_to, state FROM checkpoints JOIN logs ON log_id = log WHERE name = ?")
        guard let row = try GRDB.Row.fetchOne(statement, arguments: [log.name]) else { return nil }
        let upTo = try row.offset(at: 0)
        let checkpoint: Checkpoint
        do {
            checkpoint = try Checkpoint(decoding: try row.bytes(at: 1, "the state of the checkpoint of \(log)"))
        } catch StoreError.damaged(let reason) {
            throw SQLiteDamage("\(reason), of the log \(log)")
        }
        guard checkpoint.upTo == upTo else {
            throw SQLiteDamage("the checkpoint of \(log) has up_to \(upTo), but its state says \(checkpoint.upTo)")
        }
        return checkpoint
    }

    static func save(_ checkpoint: Checkpoint, of log: LogID, in database: Database) throws {
        var names = try SQLiteNames(in: database)
        let statement = try database.cachedStatement(
            sql: """
                INSERT INTO checkpoints (log, up_to, state) VALUES (?, ?, ?)
                ON CONFLICT (log) DO UPDATE
                SET up_to = excluded.up_to, state = excluded.state, saved_at = excluded.saved_at
                WHERE excluded.up_to >= checkpoints.up_to
                """)
        let log = try names.logs.number(of: log, in: database)
        try statement.execute(arguments: [log, checkpoint.upTo.value, Data(checkpoint.encoded())])
    }

    /// The logs with rows beyond their checkpoint: a flush of theirs was cut off, and is done again when tally starts.
    static func logsBeyondCheckpoint(of table: SQLiteCountTable, in database: Database) throws -> [String] {
        try String.fetchAll(
            database,
            sql: """
                SELECT COALESCE(name, newest.log) FROM (SELECT log, MAX(up_to) AS up_to FROM \(table.name) GROUP BY log) newest
                LEFT JOIN logs ON log_id = newest.log LEFT JOIN checkpoints ON checkpoints.log = newest.log
                WHERE newest.up_to > COALESCE(checkpoints.up_to, -1) ORDER BY 1
                """)
    }
}
