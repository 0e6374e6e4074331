// SPDX-License-Identifier: Apache-2.0

#if PostgreSQL

package import TallyCore

/// Makes the old rows of a log coarser, and deletes the oldest: an hour of time after the other, so that no statement takes long.
/// An hour becomes its totals within one transaction, so that whoever reads sees it either way, and whole.
struct PostgreSQLExpiry: Sendable {
    /// Of one statement, about.
    private static let rows: Int64 = 100_000

    let table: PostgreSQLCountTable
    let log: LogID

    /// What is to be done, as the log's row says.
    struct Plan: Sendable {
        let log: Int64
        /// Everything before it was done before.
        let from: Minute
        let horizon: Horizon
    }

    /// From now on merges leave out what is before it, so that nothing is begun anew where rows go away. It waits for merges that
    /// are on their way: they hold the log's row.
    func mark(_ horizon: Horizon, _ connection: PostgreSQLConnection) throws(PostgreSQLFailure) -> Plan {
        try PostgreSQLLogs.note(log, connection)
        let marked = try connection.run(
            """
            UPDATE tally_logs SET collapsed_before = greatest(collapsed_before, $2), dropped_before = greatest(dropped_before, $3)
            WHERE name = $1 RETURNING log_id, collapsed_before, dropped_before, expired_before
            """, [.text(log.name), .time(horizon.collapsed), .time(horizon.dropped)])
        guard marked.rowCount == 1 else { throw .damage("the log \(log) is not in tally_logs") }
        let number = try marked.integer(0, 0)
        let horizon = try PostgreSQLExpiry.horizon(marked, columns: 1, 2)
        let from = try first(number, marked, connection) ?? horizon.collapsed
        return Plan(log: number, from: max(from, horizon.dropped), horizon: horizon)
    }

    /// The log's, as it was marked last.
    func horizon(_ connection: PostgreSQLConnection) throws(PostgreSQLFailure) -> Horizon {
        let marked = try connection.run(
            """
            SELECT collapsed_before, dropped_before FROM tally_logs
            WHERE name = $1 AND collapsed_before IS NOT NULL AND dropped_before IS NOT NULL
            """, [.text(log.name)])
        return marked.rowCount == 0 ? .none : try PostgreSQLExpiry.horizon(marked, columns: 0, 1)
    }

    private static func horizon(
        _ marked: PostgreSQLResult, columns collapsed: Int, _ dropped: Int
    ) throws(PostgreSQLFailure) -> Horizon {
        Horizon(
            collapsed: try PostgreSQLTime.minute(try marked.integer(0, collapsed), layout: .hour),
            dropped: try PostgreSQLTime.minute(try marked.integer(0, dropped), layout: .hour))
    }

    /// Where the work begins; nil when there is none.
    private func first(
        _ number: Int64, _ marked: PostgreSQLResult, _ connection: PostgreSQLConnection
    ) throws(PostgreSQLFailure) -> Minute? {
        guard marked.isNull(0, 3) else { return try PostgreSQLTime.minute(try marked.integer(0, 3), layout: .hour) }
        let oldest = try connection.run(
            "SELECT min(\(table.timestamp)) FROM \(table.name) WHERE log = \(number)")
        if oldest.isNull(0, 0) { return nil }
        return Layout.hour.rowStart(of: try PostgreSQLTime.minute(try oldest.integer(0, 0), layout: table.layout))
    }

    /// One hour, in as many parts as its rows ask for.
    func collapse(_ hour: Minute, of plan: Plan, _ connection: PostgreSQLConnection) throws(PostgreSQLFailure) {
        let span: [PostgreSQLParameter] = [.time(hour), .time(hour.advanced(by: 60))]
        let isOld = "\(table.timestamp) >= $1 AND \(table.timestamp) < $2 AND log = \(plan.log)"
        let count = try connection.run("SELECT count(*) FROM \(table.name) WHERE \(isOld)", span).integer(0, 0)
        let parts = count / PostgreSQLExpiry.rows + 1
        for part in 0..<parts {
            let condition = "\(isOld) AND banner_id % \(parts) = \(part)"
            try connection.transaction { () throws(PostgreSQLFailure) in
                for statement in statements(condition) { _ = try connection.run(statement, span) }
            }
        }
    }

    private func statements(_ condition: String) -> [String] {
        let minutes = Horizon.minutesPerTotal
        guard table.layout == .minute else {
            return [
                """
                UPDATE \(table.name) SET count_by_minute = (
                    SELECT jsonb_object_agg(first, total) FROM (
                        SELECT key::integer / \(minutes) * \(minutes) AS first, least(sum(value::numeric), 9223372036854775807) AS total
                        FROM jsonb_each_text(count_by_minute) GROUP BY first
                    ) AS totals)
                WHERE \(condition) AND count_by_minute <> '{}'
                """
            ]
        }
        // Since the hour began.
        let seconds = "extract(epoch FROM minute_timestamp - $1)::integer"
        let first = "$1 + \(seconds) / \(minutes * 60) * \(minutes * 60) * interval '1 second'"
        return [
            """
            INSERT INTO \(table.name) AS stored (banner_id, minute_timestamp, count, up_to, log, kind)
            SELECT banner_id, \(first), least(sum(count), 9223372036854775807)::bigint, max(up_to), log, kind
            FROM \(table.name) WHERE \(condition) GROUP BY banner_id, 2, kind, log
            ON CONFLICT (banner_id, minute_timestamp, kind, log) DO UPDATE
            SET count = excluded.count, up_to = excluded.up_to
            """,
            "DELETE FROM \(table.name) WHERE \(condition) AND \(seconds) % \(minutes * 60) <> 0",
        ]
    }

    /// - Returns: whether there may be more.
    func drop(_ plan: Plan, _ connection: PostgreSQLConnection) throws(PostgreSQLFailure) -> Bool {
        let deleted = try connection.run(
            """
            DELETE FROM \(table.name) WHERE ctid = ANY(ARRAY(
                SELECT ctid FROM \(table.name) WHERE \(table.timestamp) < $1 AND log = \(plan.log)
                LIMIT \(PostgreSQLExpiry.rows)))
            """, [.time(plan.horizon.dropped)])
        return deleted.affectedRows > 0
    }

    func finish(_ plan: Plan, _ connection: PostgreSQLConnection) throws(PostgreSQLFailure) {
        _ = try connection.run(
            "UPDATE tally_logs SET expired_before = greatest(expired_before, $2) WHERE log_id = $1::bigint",
            [.integer(plan.log), .time(plan.horizon.collapsed)])
    }
}

extension PostgreSQLStore {
    package func expire(before horizon: Horizon, of log: LogID) async throws(StoreError) {
        let expiry = PostgreSQLExpiry(table: table, log: log)
        let plan = try await run { connection throws(PostgreSQLFailure) in try expiry.mark(horizon, connection) }
        var isMore = plan.horizon.dropped > .first
        while isMore {
            isMore = try await run { connection throws(PostgreSQLFailure) in try expiry.drop(plan, connection) }
        }
        try await dropSightings(before: Day(of: plan.horizon.dropped))
        var hour = plan.from
        while hour < plan.horizon.collapsed {
            let next = hour
            try await run { connection throws(PostgreSQLFailure) in try expiry.collapse(next, of: plan, connection) }
            hour = hour.advanced(by: 60)
        }
        try await run { connection throws(PostgreSQLFailure) in try expiry.finish(plan, connection) }
    }

    package func horizon(of log: LogID) async throws(StoreError) -> Horizon {
        let expiry = PostgreSQLExpiry(table: table, log: log)
        return try await run { connection throws(PostgreSQLFailure) in try expiry.horizon(connection) }
    }
}

#endif
