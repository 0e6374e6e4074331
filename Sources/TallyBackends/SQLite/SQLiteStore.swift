// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
package import TallyCore

/// Counts, checkpoints and banners in one SQLite file, in the write-ahead mode with a sync at each commit.
///
/// The schema is described in `docs/sqlite-schema.md`. One process at a time may write; others may read.
package final class SQLiteStore: Store {
    /// The most rows of one transaction: readers and the memory of the write-ahead log are bounded by it.
    static let rowsPerTransaction = 10_000

    package let layout: Layout
    let path: String
    private let pool: DatabasePool
    private let file: SQLiteFile
    private let table: SQLiteCountTable
    private let cache = SQLiteRangeCache()
    private let watch: SQLiteWatch

    /// Opens the store, and makes it if there is none. Blocks.
    ///
    /// - Parameters:
    ///   - path: of the file; its directory exists.
    ///   - busyTimeout: how long a call waits for another process that has the file locked.
    /// - Throws: `.damaged` also when the file has the other layout, or was made by a newer tally.
    package init(path: String, layout: Layout, busyTimeout: Duration = .seconds(5)) throws(StoreError) {
        if let found = try SQLiteStore.description(ofFileAt: path) {
            try SQLiteSchema.check(found, opening: path, as: layout)
        }
        do {
            self.pool = try SQLiteStore.open(path, layout: layout, busyTimeout: busyTimeout)
            self.watch = try SQLiteWatch(
                path: path, configuration: SQLiteStore.configuration(busyTimeout: busyTimeout))
        } catch {
            throw StoreError(error, path: path)
        }
        // Another process may have made the file since it was looked at.
        if let made = try SQLiteStore.description(ofFileAt: path) {
            try SQLiteSchema.check(made, opening: path, as: layout)
        }
        try SQLiteFile.synchronize(SQLiteFile.directory(of: path))
        self.file = try SQLiteFile(ofOpenStoreAt: path)
        self.table = SQLiteCountTable(layout: layout)
        self.path = path
        self.layout = layout
    }

    /// The layout of the store at this path; nil when there is none yet. Blocks.
    package static func layout(ofFileAt path: String) throws(StoreError) -> Layout? {
        try description(ofFileAt: path)?.layout
    }

    /// Moves what is in the write-ahead log into the file and closes it; every later call fails. Blocks.
    package func close() throws(StoreError) {
        do {
            // The writer has to be the last to close: a reader can't bring the write-ahead log home.
            try watch.close()
            pool.releaseMemory()
            try pool.close()
        } catch {
            throw StoreError(error, path: path)
        }
    }

    /// Runs `body` in one read transaction.
    func read<Value: Sendable>(_ body: @Sendable (Database) throws -> Value) async throws(StoreError) -> Value {
        do {
            try file.check()
            let value = try await pool.read(body)
            // A reader's connection is opened when it is needed: perhaps after the file was replaced.
            try file.check()
            return value
        } catch {
            throw StoreError(error, path: path)
        }
    }

    /// Runs `body` in one write transaction.
    func write<Value: Sendable>(_ body: @Sendable (Database) throws -> Value) async throws(StoreError) -> Value {
        do {
            try file.check()
            let value = try await pool.write(body)
            try file.check()
            return value
        } catch {
            throw StoreError(error, path: path)
        }
    }

    /// Runs `body`, which makes its own transactions, where no other write runs.
    func withoutTransaction(_ body: @Sendable (Database) throws -> Void) async throws(StoreError) {
        do {
            try file.check()
            try await pool.writeWithoutTransaction(body)
            try file.check()
        } catch {
            throw StoreError(error, path: path)
        }
    }

    // MARK: - Counts

    @discardableResult
    package func merge(_ rows: [TallyCore.Row], of log: LogID) async throws(StoreError) -> RowConflicts {
        precondition(rows.allSatisfy { $0.counts.layout == layout }, "rows come in the layout of their store")
        // In the order of the table, so that each page is touched once.
        let sorted = rows.sorted { $0.key < $1.key }
        var conflicts = RowConflicts()
        for batch in sorted.batches(of: SQLiteStore.rowsPerTransaction) {
            conflicts.add(try await write { [table] database in try table.merge(batch, of: log, in: database) })
        }
        return conflicts
    }

    package func expire(before horizon: Horizon, of log: LogID) async throws(StoreError) {
        try await SQLiteExpiry(table: table, log: log).run(before: horizon, in: self)
    }

    package func horizon(of log: LogID) async throws(StoreError) -> Horizon {
        try await read { database in
            guard let number = try SQLiteNames(in: database).logs.numbers[log] else { return .none }
            return try SQLiteExpiry.horizon(ofLog: number, in: database)
        }
    }

    package func rows(of log: LogID, at keys: [RowKey]) async throws(StoreError) -> [TallyCore.Row] {
        if keys.isEmpty { return [] }
        return try await read { [table] database in
            let names = try SQLiteNames(in: database)
            guard let log = names.logs.numbers[log] else { return [] }
            return try keys.compactMap { key in
                guard let kind = names.kinds.numbers[key.kind] else { return nil }
                return try table.row(at: key, kind: kind, log: log, in: database)
            }
        }
    }

    package func rows(in range: RowRange, limit: Int) async throws(StoreError) -> [StoredRow] {
        let version = try version()
        if let rows = cache.rows(in: range, at: version), rows.count <= limit { return rows }
        let rows = try await read { [table] database in
            var rows: [StoredRow] = []
            try SQLiteRangeReader(range, of: table, in: database).forEachRow { row in
                guard rows.count < limit else { throw StoreError.tooManyRows(limit: limit) }
                rows.append(row)
            }
            return rows
        }
        cache.remember(rows, in: range, at: version, layout: layout)
        return rows
    }

    private func version() throws(StoreError) -> Int64 {
        do {
            try file.check()
            return try watch.version
        } catch {
            throw StoreError(error, path: path)
        }
    }

    package func totals(
        in range: RowRange, with unflushed: [StoredRow]
    ) async throws(StoreError) -> [Total] {
        try await read { [table] database in
            let reader = try SQLiteRangeReader(range, of: table, in: database)
            return try SQLiteTotals(reader: reader, unflushed: unflushed).totals()
        }
    }

    // MARK: - Logs

    /// The logs that it has rows or a checkpoint of, sorted.
    package func logs() async throws(StoreError) -> [LogID] {
        try await read { database in try SQLiteNames(in: database).logs.numbers.keys.sorted() }
    }

    package func checkpoint(of log: LogID) async throws(StoreError) -> Checkpoint? {
        try await read { database in try SQLiteCheckpoints.checkpoint(of: log, in: database) }
    }

    package func save(_ checkpoint: Checkpoint, of log: LogID) async throws(StoreError) {
        try await write { database in try SQLiteCheckpoints.save(checkpoint, of: log, in: database) }
    }

    // MARK: - Banners

    package func banners() async throws(StoreError) -> [Banner] {
        try await read { database in try SQLiteBanners.all(in: database) }
    }

    package func save(_ banners: [Banner]) async throws(StoreError) {
        if banners.isEmpty { return }
        try await write { database in try SQLiteBanners.save(banners, in: database) }
    }

    // MARK: - Opening

    private static func open(_ path: String, layout: Layout, busyTimeout: Duration) throws -> DatabasePool {
        let pool = try DatabasePool(path: path, configuration: configuration(busyTimeout: busyTimeout))
        // GRDB chooses NORMAL, with which the last commits can be lost with the power.
        try pool.writeWithoutTransaction { database in try database.execute(sql: "PRAGMA synchronous = FULL") }
        try migrate(pool, layout: layout)
        return pool
    }

    /// Another process may be making the same file: a migration that it has done in between fails here, and then counts as done.
    private static func migrate(_ pool: DatabasePool, layout: Layout) throws {
        let migrator = SQLiteSchema.migrator(for: layout)
        while true {
            let done = try pool.read(migrator.appliedIdentifiers)
            do {
                return try migrator.migrate(pool)
            } catch {
                guard try pool.read(migrator.appliedIdentifiers).count > done.count else { throw error }
            }
        }
    }

    private static func configuration(busyTimeout: Duration) -> Configuration {
        let seconds = busyTimeout / .seconds(1)
        var configuration = Configuration()
        configuration.label = "tally store"
        configuration.busyMode = .timeout(seconds)
        configuration.foreignKeysEnabled = false
        configuration.maximumReaderCount = 4
        configuration.prepareDatabase { database in
            // Also for readers, which GRDB lets wait longer; and a file from elsewhere may hold odd views.
            try database.execute(sql: "PRAGMA busy_timeout = \(Int(seconds * 1_000)); PRAGMA trusted_schema = OFF")
        }
        return configuration
    }

    /// What the file says of itself; nil when there is none, or an empty one. It isn't opened as a pool yet, which would
    /// change the mode of a file that belongs to something else.
    private static func description(ofFileAt path: String) throws(StoreError) -> SQLiteSchema.Description? {
        guard let size = SQLiteFile.size(of: path), size > 0 else { return nil }
        do {
            var configuration = Configuration()
            configuration.busyMode = .timeout(5)
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            return try queue.read { database in try SQLiteSchema.description(in: database) }
        } catch {
            throw StoreError(error, path: path)
        }
    }
}
