// SPDX-License-Identifier: Apache-2.0

#if PostgreSQL

import TallyCore

/// The tables `tally_logs` and `tally_checkpoints`.
enum PostgreSQLLogs {
    /// Gives the log a number, unless it has one.
    static func note(_ log: LogID, _ connection: PostgreSQLConnection) throws(PostgreSQLFailure) {
        // Asked first, since a conflict uses up a number too.
        _ = try connection.run(
            """
            INSERT INTO tally_logs (name) SELECT $1 WHERE NOT EXISTS (SELECT FROM tally_logs WHERE name = $1)
            ON CONFLICT (name) DO NOTHING
            """, [.text(log.name)])
    }

    static func all(_ connection: PostgreSQLConnection) throws(PostgreSQLFailure) -> [LogID] {
        let rows = try connection.run("SELECT name FROM tally_logs")
        var logs: [LogID] = []
        for row in 0..<rows.rowCount { logs.append(try log(named: rows.text(row, 0))) }
        return logs.sorted()
    }

    static func log(named name: String) throws(PostgreSQLFailure) -> LogID {
        guard let log = LogID(name) else { throw .damage("\"\(name)\" in tally_logs is no name of a log") }
        return log
    }

    static func checkpoint(
        of log: LogID, _ connection: PostgreSQLConnection
    ) throws(PostgreSQLFailure) -> Checkpoint? {
        let rows = try connection.run(
            "SELECT up_to, state FROM tally_checkpoints JOIN tally_logs ON log_id = log WHERE name = $1",
            [.text(log.name)])
        guard rows.rowCount > 0 else { return nil }
        let upTo = try rows.integer(0, 0)
        let checkpoint: Checkpoint
        do throws(StoreError) {
            checkpoint = try Checkpoint(decoding: rows.bytes(0, 1))
        } catch {
            throw .damage("\(error), of the log \(log)")
        }
        guard checkpoint.upTo.value == upTo else {
            throw .damage("the checkpoint of \(log) has up_to \(upTo), but its state says \(checkpoint.upTo)")
        }
        return checkpoint
    }

    static func save(
        _ checkpoint: Checkpoint, of log: LogID, _ connection: PostgreSQLConnection
    ) throws(PostgreSQLFailure) {
        try note(log, connection)
        _ = try connection.run(
            """
            INSERT INTO tally_checkpoints AS saved (log, up_to, state)
            SELECT log_id, $2, $3 FROM tally_logs WHERE name = $1
            ON CONFLICT (log) DO UPDATE
            SET up_to = excluded.up_to, state = excluded.state, saved_at = excluded.saved_at
            WHERE excluded.up_to >= saved.up_to
            """, [.text(log.name), .integer(checkpoint.upTo.value), .bytes(checkpoint.encoded())])
    }
}

#endif
