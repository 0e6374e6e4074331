// SPDX-License-Identifier: Apache-2.0

#if PostgreSQL

package import TallyCore

/// Counts, checkpoints and banners in the tables of one schema of a PostgreSQL database.
///
/// The schema is described in `docs/postgresql-schema.md`. Any number of processes may use it. Nothing here waits for ever: what
/// takes too long is given up, and the connection with it.
package final class PostgreSQLStore: Store {
    /// The most rows of one statement.
    static let rowsPerStatement = 10_000
    private static let connections = 4

    package let layout: Layout
    private let url: PostgreSQLURL
    let table: PostgreSQLCountTable
    private let pool: PostgreSQLPool

    /// Connects to nothing yet: a server that is away is one of each call, and the tables are made by the first that reaches it.
    ///
    /// - Parameter limit: of the time that one statement may take.
    package init(url: PostgreSQLURL, layout: Layout, limit: Duration = .seconds(30)) {
        let schema = PostgreSQLSchema(layout: layout)
        self.url = url
        self.layout = layout
        self.table = PostgreSQLCountTable(layout: layout)
        self.pool = PostgreSQLPool(url: url, size: PostgreSQLStore.connections, limit: limit) {
            connection throws(PostgreSQLFailure) in
            try PostgreSQLStore.greet(connection, limit: limit)
            try schema.prepare(connection)
        }
    }

    /// The layout of the tables there; nil when there are none yet.
    package static func layout(at url: PostgreSQLURL, limit: Duration = .seconds(30)) async throws(StoreError)
        -> Layout?
    {
        let pool = PostgreSQLPool(url: url, size: 1, limit: limit) { connection throws(PostgreSQLFailure) in
            try PostgreSQLStore.greet(connection, limit: limit)
        }
        do throws(PostgreSQLFailure) {
            let found = try await pool.run { connection throws(PostgreSQLFailure) in
                try PostgreSQLSchema.description(connection)
            }
            await pool.close()
            return found?.layout
        } catch {
            throw StoreError(error, of: url)
        }
    }

    /// A process that stands still in a transaction holds the locks of its rows for as long at most, and keeps others waiting.
    private static let idleTransactionMilliseconds = 5_000

    /// What every session needs, whatever the role, the database or the server say.
    private static func greet(_ connection: PostgreSQLConnection, limit: Duration) throws(PostgreSQLFailure) {
        let milliseconds = max(1, Int64(limit / .milliseconds(1)))
        // Durable on return, unless somebody chose even more than that; and a statement that was given up here ends there too.
        let settings = try connection.run(
            """
            SELECT current_setting('server_encoding'),
                CASE WHEN current_setting('synchronous_commit') = 'off'
                    THEN set_config('synchronous_commit', 'on', false) END,
                CASE WHEN current_setting('statement_timeout') = '0'
                    THEN set_config('statement_timeout', '\(milliseconds)', false) END,
                CASE WHEN current_setting('idle_in_transaction_session_timeout') = '0'
                    THEN set_config('idle_in_transaction_session_timeout', '\(idleTransactionMilliseconds)', false) END
            """)
        let encoding = settings.text(0, 0)
        guard encoding == "UTF8" else {
            throw .damage("its database has the encoding \(encoding); names need UTF8")
        }
    }

    func run<Value: Sendable>(
        _ body: @escaping @Sendable (PostgreSQLConnection) throws(PostgreSQLFailure) -> Value
    ) async throws(StoreError) -> Value {
        do throws(PostgreSQLFailure) {
            return try await pool.run(body)
        } catch {
            throw StoreError(error, of: url)
        }
    }

    /// Makes the tables, or brings them up to this version, if that is needed.
    package func prepare() async throws(StoreError) {
        try await run { _ throws(PostgreSQLFailure) in }
    }

    package func close() async { await pool.close() }

    // MARK: - Counts

    @discardableResult
    package func merge(_ rows: [Row], of log: LogID) async throws(StoreError) -> RowConflicts {
        precondition(rows.allSatisfy { $0.counts.layout == layout }, "rows come in the layout of their store")
        var conflicts = RowConflicts()
        if rows.isEmpty { return conflicts }
        let table = table
        try await run { connection throws(PostgreSQLFailure) in try PostgreSQLLogs.note(log, connection) }
        // In the order of the key: two writers take the rows in the same order, and wait for each other but not in a circle.
        let sorted = rows.sorted {
            ($0.key.banner, $0.key.start, $0.key.kind) < ($1.key.banner, $1.key.start, $1.key.kind)
        }
        for batch in sorted.batches(of: PostgreSQLStore.rowsPerStatement) {
            conflicts.add(
                try await run { connection throws(PostgreSQLFailure) in
                    try table.merge(batch, of: log, connection)
                })
        }
        return conflicts
    }

    package func rows(of log: LogID, at keys: [RowKey]) async throws(StoreError) -> [Row] {
        if keys.isEmpty { return [] }
        let table = table
        return try await run { connection throws(PostgreSQLFailure) in
            let result = try connection.run(table.lookUp, [.text(log.name)] + table.keyColumns(of: keys))
            var reader = PostgreSQLRowReader(result, of: table)
            var rows: [Row] = []
            for row in 0..<result.rowCount { rows.append(try reader.row(row)) }
            return rows
        }
    }

    package func rows(in range: RowRange, limit: Int) async throws(StoreError) -> [StoredRow] {
        let table = table
        let rows = try await run { connection throws(PostgreSQLFailure) in
            let statement = table.select(range, limit: limit)
            let result = try connection.run(statement.sql, statement.parameters)
            var reader = PostgreSQLRowReader(result, of: table, in: range)
            return try reader.storedRows()
        }
        guard rows.count <= limit else { throw .tooManyRows(limit: limit) }
        return rows
    }

    package func totals(
        in range: RowRange, with unflushed: [StoredRow]
    ) async throws(StoreError) -> [Total] {
        let table = table
        let newer = unflushed.filter { range.overlaps($0.row.key, layout: layout) }
        return try await run { connection throws(PostgreSQLFailure) in
            let statement = table.totals(range, with: newer)
            let result = try connection.run(statement.sql, statement.parameters)
            var totals: [Total] = []
            for row in 0..<result.rowCount {
                let first = try PostgreSQLTime.minute(try result.integer(row, 3), layout: .minute)
                let last = try PostgreSQLTime.minute(try result.integer(row, 4), layout: .minute)
                totals.append(
                    Total(
                        banner: try PostgreSQLCountTable.banner(result, row, 0),
                        kind: try PostgreSQLCountTable.kind(result, row, 1), count: try result.integer(row, 2),
                        minutes: first...last))
            }
            return totals
        }
    }

    // MARK: - Logs

    package func logs() async throws(StoreError) -> [LogID] {
        try await run { connection throws(PostgreSQLFailure) in try PostgreSQLLogs.all(connection) }
    }

    package func checkpoint(of log: LogID) async throws(StoreError) -> Checkpoint? {
        try await run { connection throws(PostgreSQLFailure) in try PostgreSQLLogs.checkpoint(of: log, connection) }
    }

    package func save(_ checkpoint: Checkpoint, of log: LogID) async throws(StoreError) {
        try await run { connection throws(PostgreSQLFailure) in
            try PostgreSQLLogs.save(checkpoint, of: log, connection)
        }
    }

    // MARK: - Banners

    package func banners() async throws(StoreError) -> [Banner] {
        try await run { connection throws(PostgreSQLFailure) in try PostgreSQLBanners.all(connection) }
    }

    package func save(_ banners: [Banner]) async throws(StoreError) {
        if banners.isEmpty { return }
        try await run { connection throws(PostgreSQLFailure) in try PostgreSQLBanners.save(banners, connection) }
    }
}

#endif
