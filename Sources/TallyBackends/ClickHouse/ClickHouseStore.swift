// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Synchronization
package import TallyCore

/// Counts, checkpoints and banners in a database of a ClickHouse server or cluster, over HTTP.
///
/// The schema is described in `docs/clickhouse-schema.md`, and also what is durable on which server. The server is asked
/// what it can do and brought to the newest schema before the first statement; nothing else is needed to open a store.
package final class ClickHouseStore: Store {
    /// The most rows of one INSERT, which arrives as one block.
    static let rowsPerInsert = 10_000
    /// Tables of a cluster are made on all its machines, one after the other.
    static let timeForDefinitions = Duration.seconds(180)

    package let layout: Layout
    let client: ClickHouseClient
    let table: ClickHouseCountTable
    let knownHorizons = ClickHouseHorizons()
    /// How long rows that don't count any more are left to those who are still reading them.
    let settling: Duration
    let readBacks: ClickHouseReadBacks
    /// How long replicas may take to agree: less than the statement, so that the server says what it waited for.
    private let patience: Duration
    /// Set when the server was asked and has the schema.
    private let features = Mutex<ClickHouseFeatures?>(nil)

    /// Connects only when something is asked.
    /// - Parameters:
    ///   - timeout: how long a statement may take until the store counts as unavailable.
    ///   - settling: how long rows that don't count any more stay; longer than any statement takes.
    ///   - readsBackAlways: each flush, whatever that costs.
    package init(
        _ url: ClickHouseURL, layout: Layout, timeout: Duration = .seconds(30), settling: Duration = .seconds(300),
        readsBackAlways: Bool = false
    ) {
        self.readBacks = ClickHouseReadBacks(areAlwaysDue: readsBackAlways)
        self.layout = layout
        self.settling = settling
        self.patience = timeout * 2 / 3
        client = ClickHouseClient(url, timeout: timeout)
        table = ClickHouseCountTable(layout: layout)
    }

    package func close() async throws(StoreError) { try await client.close() }

    /// The layout of the store at this address; nil when there is none yet.
    package static func layout(of url: ClickHouseURL) async throws(StoreError) -> Layout? {
        let client = ClickHouseClient(url, timeout: .seconds(30))
        let result: Result<ClickHouseSchema.Description, StoreError>
        do { result = .success(try await ClickHouseSchema.describe(client)) } catch { result = .failure(error) }
        try await client.close()
        return try result.get().layout
    }

    // MARK: - Schema

    /// Makes or changes the tables where that is needed, and checks that they can be used. Done once.
    /// - Throws: `.damaged` also when the database has the other layout, or was made by a newer tally.
    package func prepare() async throws(StoreError) { _ = try await preparedFeatures() }

    /// The statements that `prepare` would run, for somebody else to run; none when the schema is the newest.
    package func missingMigrations() async throws(StoreError) -> [String] {
        let features = try await ClickHouseFeatures.ask(client, patience: patience)
        let schema = schema(features)
        let found = try await ClickHouseSchema.describe(client)
        try schema.check(found, at: client.url)
        return schema.statements(after: found.version)
    }

    private func schema(_ features: ClickHouseFeatures) -> ClickHouseSchema {
        ClickHouseSchema(
            layout: layout, database: client.url.database, cluster: client.url.cluster, features: features)
    }

    func preparedFeatures() async throws(StoreError) -> ClickHouseFeatures {
        if let known = features.withLock({ $0 }) { return known }
        let found = try await ClickHouseFeatures.ask(client, patience: patience)
        let schema = schema(found)
        let description = try await ClickHouseSchema.describe(client)
        try schema.check(description, at: client.url)
        if description.version < ClickHouseSchema.version { try await migrate(schema, from: description.version) }
        features.withLock { $0 = found }
        return found
    }

    private func migrate(_ schema: ClickHouseSchema, from version: Int64) async throws(StoreError) {
        var failure: StoreError?
        do {
            for statement in schema.statements(after: version) {
                _ = try await client.run(.definition(statement), within: ClickHouseStore.timeForDefinitions)
                // Who finds that another has made the counts in the other layout must not make the tables beside them.
                try schema.check(try await ClickHouseSchema.describe(client), at: client.url)
            }
        } catch {
            failure = error
        }
        // Another process may have been at it: whoever was first has decided on the layout, and may have done it all.
        let description = try await ClickHouseSchema.describe(client)
        try schema.check(description, at: client.url)
        if let failure, description.version < ClickHouseSchema.version { throw failure }
    }

    // MARK: - Statements

    func select(_ statement: ClickHouseStatement) async throws(StoreError) -> ByteBuffer {
        var statement = statement
        statement.settings += try await preparedFeatures().selectSettings
        return try await client.run(statement)
    }

    func insert(into table: String, _ columns: String, _ rows: ByteBuffer) async throws(StoreError) {
        var statement = ClickHouseStatement.insert(into: table, columns: columns, rows: rows)
        statement.settings += try await preparedFeatures().insertSettings
        _ = try await client.run(statement)
    }

    func decoding<Value>(_ body: () throws(ClickHouseDamage) -> Value) throws(StoreError) -> Value {
        do { return try body() } catch { throw client.failure(error) }
    }

    // MARK: - Counts

    @discardableResult
    package func merge(_ rows: [Row], of log: LogID) async throws(StoreError) -> RowConflicts {
        precondition(rows.allSatisfy { $0.counts.layout == layout }, "rows come in the layout of their store")
        let horizon = try await currentHorizons()[log] ?? Horizon.none
        let rows = horizon == Horizon.none ? rows : rows.filter { $0.key.start >= horizon.collapsed }
        let begin = ContinuousClock.now
        for batch in rows.batches(of: ClickHouseStore.rowsPerInsert) {
            try await insert(into: "tally_counts", table.columns, table.encode(batch, of: log))
        }
        return await conflicts(after: rows, of: log, writtenIn: .now - begin)
    }

    package func rows(of log: LogID, at keys: [RowKey]) async throws(StoreError) -> [Row] {
        if keys.isEmpty { return [] }
        return try await rows(ClickHouseCondition(keys, of: log, in: table)).map(\.row)
    }

    package func rows(in range: RowRange, limit: Int) async throws(StoreError) -> [StoredRow] {
        if range.isEmpty { return [] }
        let rows = try await rows(ClickHouseCondition(range, of: table), limit: limit)
        guard rows.count <= limit else { throw .tooManyRows(limit: limit) }
        return rows
    }

    /// - Parameter limit: of rows; one more is selected, which tells that there are more.
    private func rows(
        _ condition: ClickHouseCondition, limit: Int = .max
    ) async throws(StoreError) -> [StoredRow] {
        let hasHorizons = try await !currentHorizons().isEmpty
        let most = limit == .max ? "" : " LIMIT \(limit + 1)"
        let sql = "SELECT \(table.columns) FROM \(table.rows(where: condition.sql, hasHorizons: hasHorizons))\(most)"
        let answer = try await select(.select(sql, with: condition.tables))
        return try decoding { () throws(ClickHouseDamage) in try table.decode(answer) }
    }

    package func totals(
        in range: RowRange, with unflushed: [StoredRow]
    ) async throws(StoreError) -> [Total] {
        if range.isEmpty { return [] }
        let horizons = try await currentHorizons()
        let merged = unflushed.filter { $0.row.key.start >= horizons[$0.log]?.collapsed ?? .first }
        let totals = ClickHouseTotals(range, of: table, with: merged, hasHorizons: !horizons.isEmpty)
        let answer = try await select(totals.statement)
        return try decoding { () throws(ClickHouseDamage) in try totals.totals(from: answer) }
    }

    // MARK: - Logs

    package func logs() async throws(StoreError) -> [LogID] {
        let sql = "SELECT DISTINCT log FROM (SELECT log FROM tally_counts UNION ALL SELECT log FROM tally_checkpoints)"
        let answer = try await select(.select(sql))
        return try decoding { () throws(ClickHouseDamage) in
            var reader = RowBinaryReader(answer)
            var names = ClickHouseNames.logs
            var logs: [LogID] = []
            while !reader.isAtEnd { logs.append(try names.read(from: &reader)) }
            return logs.sorted()
        }
    }

    package func checkpoint(of log: LogID) async throws(StoreError) -> Checkpoint? {
        let answer = try await select(
            .select("SELECT up_to, state FROM tally_checkpoints FINAL WHERE log = '\(log.name)'"))
        return try decoding { () throws(ClickHouseDamage) in
            try ClickHouseCheckpoints.checkpoint(of: log, from: answer)
        }
    }

    package func save(_ checkpoint: Checkpoint, of log: LogID) async throws(StoreError) {
        try await insert(
            into: "tally_checkpoints", "log, up_to, state", ClickHouseCheckpoints.encode(checkpoint, of: log))
    }

    // MARK: - Banners

    package func banners() async throws(StoreError) -> [Banner] {
        let answer = try await select(.select("SELECT \(ClickHouseBanners.columns) FROM tally_banners FINAL"))
        return try decoding { () throws(ClickHouseDamage) in try ClickHouseBanners.decode(answer) }
    }

    package func save(_ banners: [Banner]) async throws(StoreError) {
        if banners.isEmpty { return }
        try await insert(into: "tally_banners", ClickHouseBanners.columns, ClickHouseBanners.encode(banners))
    }
}

extension RowRange {
    /// Nothing can be in it, and an empty list is nothing that every server understands.
    fileprivate var isEmpty: Bool { banners?.isEmpty == true || kinds?.isEmpty == true }
}
