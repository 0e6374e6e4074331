// SPDX-License-Identifier: Apache-2.0

#if PostgreSQL

import TallyCore

/// The table that holds the counts in one layout: its statements, and the way between its rows and values.
///
/// Kinds and counts travel as arrays, a column each, so that a statement is the same for one row and for 10,000.
struct PostgreSQLCountTable: CountColumns, Sendable {
    let layout: Layout

    var name: String { layout == .minute ? "tally_minute_counts" : "tally_hour_counts" }
    private var countsType: String { layout == .minute ? "bigint" : "jsonb" }

    /// Rows as arrays: banners $2, timestamps $3, kinds $4, counts $5, up_to $6.
    private var given: String {
        "unnest($2::bigint[], $3::timestamptz[], $4::text[], $5::\(countsType)[], $6::bigint[]) "
            + "AS given(banner_id, \(timestamp), kind, \(counts), up_to)"
    }

    // MARK: - Statements

    /// The one rule. The log is $1; what was collapsed or dropped is never begun again.
    var merge: String {
        """
        INSERT INTO \(name) AS stored (banner_id, \(timestamp), \(counts), up_to, log, kind)
        SELECT given.banner_id, given.\(timestamp), given.\(counts), given.up_to, tally_logs.log_id, given.kind
        FROM tally_logs CROSS JOIN \(given)
        WHERE tally_logs.name = $1
            AND given.\(timestamp) >= coalesce(greatest(collapsed_before, dropped_before), '-infinity')
        FOR SHARE OF tally_logs
        ON CONFLICT (banner_id, \(timestamp), kind, log) DO UPDATE
        SET \(counts) = excluded.\(counts), up_to = excluded.up_to WHERE excluded.up_to > stored.up_to
        """
    }

    /// The stored rows that contradict one given as in `merge`, with the same `up_to`.
    var conflicting: String {
        """
        SELECT stored.banner_id, stored.\(timestamp), stored.kind, stored.log, stored.\(counts), stored.up_to
        FROM tally_logs CROSS JOIN \(given)
        JOIN \(name) AS stored ON stored.banner_id = given.banner_id AND stored.\(timestamp) = given.\(timestamp)
            AND stored.kind = given.kind AND stored.log = tally_logs.log_id
        WHERE tally_logs.name = $1
            AND given.\(timestamp) >= coalesce(greatest(collapsed_before, dropped_before), '-infinity')
            AND stored.up_to = given.up_to AND stored.\(counts) <> given.\(counts)
        """
    }

    /// Of the log $1: banners $2, timestamps $3, kinds $4.
    var lookUp: String {
        """
        SELECT stored.banner_id, stored.\(timestamp), stored.kind, stored.log, stored.\(counts), stored.up_to
        FROM unnest($2::bigint[], $3::timestamptz[], $4::text[]) AS given(banner_id, \(timestamp), kind)
        JOIN \(name) AS stored ON stored.banner_id = given.banner_id AND stored.\(timestamp) = given.\(timestamp)
            AND stored.kind = given.kind AND stored.log = (SELECT log_id FROM tally_logs WHERE name = $1)
        """
    }

    /// The rows of a range, and the names of the logs, which have no timestamp: one statement, so that one answer has both.
    /// - Parameter limit: of rows; one more is selected, which tells that there are more.
    /// - Returns: the statement with its parameters. What is the same in all rows, since it was asked for, is NULL.
    func select(_ range: RowRange, limit: Int) -> (sql: String, parameters: [PostgreSQLParameter]) {
        var parameters = times(of: range)
        let condition = condition(range, "", appendingTo: &parameters)
        let banner = range.onlyBanner == nil ? "banner_id" : "NULL::bigint"
        let kind = range.onlyKind == nil ? "kind" : "NULL"
        let most = limit == .max ? "" : " LIMIT \(limit + 1)"
        let sql = """
            (SELECT \(banner), \(timestamp), \(kind), log, \(counts), up_to FROM \(name) WHERE \(condition)\(most))
            UNION ALL SELECT NULL, NULL, name, log_id, NULL, NULL FROM tally_logs
            """
        return (sql, parameters)
    }

    /// Sums of what would be stored if rows of the logs $1, given as in `merge`, were merged. Exact on the way, since a sum of
    /// bigint is numeric; cut to what a counter holds at the end.
    func totals(_ range: RowRange, with unflushed: [StoredRow]) -> (
        sql: String, parameters: [PostgreSQLParameter]
    ) {
        var parameters: [PostgreSQLParameter] = []
        var source = name
        if unflushed.isEmpty {
            parameters = times(of: range) + firstMinute(of: range)
            source = "SELECT * FROM \(name) WHERE \(condition(range, "", appendingTo: &parameters))"
        } else {
            parameters = [.texts(unflushed.map(\.log.name))] + columns(of: unflushed.map(\.row))
            parameters += times(of: range) + firstMinute(of: range)
            let inRange = condition(range, "stored.", first: 7, appendingTo: &parameters)
            source = merged(inRange)
        }
        let first = unflushed.isEmpty ? 1 : 7
        return (sum(source, first: first), parameters)
    }

    private func merged(_ inRange: String) -> String {
        let sameKey =
            "stored.banner_id = given.banner_id AND stored.\(timestamp) = given.\(timestamp) AND stored.kind = given.kind "
            + "AND stored.log = given.log_id"
        // A log that the store has never heard of has no number, and no rows.
        let given = """
            (SELECT unflushed.*, tally_logs.log_id FROM unnest($1::text[], $2::bigint[], $3::timestamptz[], $4::text[],
                $5::\(countsType)[], $6::bigint[]) AS unflushed(log, banner_id, \(timestamp), kind, \(counts), up_to)
            LEFT JOIN tally_logs ON tally_logs.name = unflushed.log) AS given
            """
        let columns = ["banner_id", timestamp, "kind", counts]
        func list(_ table: String) -> String { columns.map { "\(table).\($0)" }.joined(separator: ", ") }
        return """
            SELECT \(list("stored")) FROM \(name) AS stored
            LEFT JOIN \(given) ON \(sameKey) AND given.up_to > stored.up_to
            WHERE \(inRange) AND given.up_to IS NULL
            UNION ALL
            SELECT \(list("given")) FROM \(given)
            LEFT JOIN \(name) AS stored ON \(sameKey)
            WHERE given.up_to > coalesce(stored.up_to, -1)
            """
    }

    /// Over rows of `source`; the parameters from `first` on are those of `times` and `firstMinute`.
    private func sum(_ source: String, first: Int) -> String {
        let minutes =
            layout == .minute
            ? "SELECT banner_id, kind, minute_timestamp, count FROM (\(source)) AS found WHERE count > 0"
            : """
            SELECT * FROM (
                SELECT banner_id, kind, hour_timestamp + key::integer * interval '1 minute' AS minute_timestamp,
                    value::bigint AS count
                FROM (\(source)) AS found CROSS JOIN LATERAL jsonb_each_text(count_by_minute)
            ) AS minutes
            WHERE count > 0 AND minute_timestamp BETWEEN $\(first + 2) AND $\(first + 1)
            """
        return """
            SELECT banner_id, kind, least(sum(count), 9223372036854775807)::bigint, min(minute_timestamp), max(minute_timestamp)
            FROM (\(minutes)) AS minutes GROUP BY banner_id, kind
            """
    }

    // MARK: - Merging

    /// Merges rows by one statement, and compares those that it left by another one. They share no transaction: a process that stands
    /// still between them would hold the locks of its rows, and keep all others from storing theirs. A row that another process
    /// replaces in between is not compared.
    func merge(
        _ rows: some Collection<Row>, of log: LogID, _ connection: PostgreSQLConnection
    ) throws(PostgreSQLFailure) -> RowConflicts {
        let parameters = [.text(log.name)] + columns(of: rows)
        // When every row was written, none of them can conflict.
        let written = try connection.run(merge, parameters).affectedRows
        if written == rows.count { return RowConflicts() }
        var reader = PostgreSQLRowReader(try connection.run(conflicting, parameters), of: self)
        return try reader.conflicts(with: rows)
    }

    // MARK: - Parameters

    /// For `given`, behind the log.
    func columns(of rows: some Collection<Row>) -> [PostgreSQLParameter] {
        keyColumns(of: rows.map(\.key)) + [countColumn(of: rows), .integers(rows.map(\.upTo.value))]
    }

    private func countColumn(of rows: some Collection<Row>) -> PostgreSQLParameter {
        switch layout {
        case .minute: .integers(rows.map { $0.counts[0] })
        case .hour: .documents(rows.map { PostgreSQLHour.encode($0.counts.all) })
        }
    }

    func keyColumns(of keys: [RowKey]) -> [PostgreSQLParameter] {
        [.integers(keys.map(\.banner.value)), .times(keys.map(\.start)), .texts(keys.map(\.kind.name))]
    }

    /// The first row's timestamp and the last minute.
    private func times(of range: RowRange) -> [PostgreSQLParameter] {
        [.time(layout.rowStart(of: range.minutes.lowerBound)), .time(range.minutes.upperBound)]
    }

    /// Only sums over hours have to leave out minutes of a row.
    private func firstMinute(of range: RowRange) -> [PostgreSQLParameter] {
        layout == .hour ? [.time(range.minutes.lowerBound)] : []
    }

    private func condition(
        _ range: RowRange, _ table: String, first: Int = 1, appendingTo parameters: inout [PostgreSQLParameter]
    ) -> String {
        var conditions = ["\(table)\(timestamp) BETWEEN $\(first) AND $\(first + 1)"]
        // With a single one, which needs no list, a plan that was made before is as good as one for these very values.
        if let banner = range.onlyBanner {
            parameters.append(.integer(banner.value))
            conditions.append("\(table)banner_id = $\(parameters.count)")
        } else if let banners = range.banners {
            parameters.append(.integers(banners.map(\.value).sorted()))
            conditions.append("\(table)banner_id = ANY($\(parameters.count))")
        }
        if range.ids != RowRange.allIDs {
            parameters.append(.integer(range.ids.lowerBound.value))
            parameters.append(.integer(range.ids.upperBound.value))
            conditions.append("\(table)banner_id BETWEEN $\(parameters.count - 1) AND $\(parameters.count)")
        }
        if let kind = range.onlyKind {
            parameters.append(.text(kind.name))
            conditions.append("\(table)kind = $\(parameters.count)")
        } else if let kinds = range.kinds {
            parameters.append(.texts(kinds.map(\.name).sorted()))
            conditions.append("\(table)kind = ANY($\(parameters.count))")
        }
        return conditions.joined(separator: " AND ")
    }
}

#endif
