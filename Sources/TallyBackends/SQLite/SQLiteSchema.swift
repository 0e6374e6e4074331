// SPDX-License-Identifier: Apache-2.0

import GRDB
import TallyCore

/// The tables of a store and how they came to be; described in `docs/sqlite-schema.md`.
enum SQLiteSchema {
    /// What a file says of itself.
    struct Description: Equatable {
        let layout: Layout
        let version: Int64
    }

    private struct Migration: Sendable {
        let name: String
        let run: @Sendable (Database, Layout) throws -> Void
    }

    /// In the order of their numbers, from 1. Append; never change one that was released.
    private static let migrations = [
        Migration(name: "1 counts, checkpoints, banners", run: createTables),
        Migration(name: "2 horizons of logs", run: addHorizons),
        Migration(name: "3 invalid events", run: SQLiteTrafficView.add),
        Migration(name: "4 sightings of visitors", run: SQLiteSightings.add),
    ]

    /// Of `logs`; not copied with the names, since a merge leaves out what lies before them.
    static let horizons = ["collapsed_before", "dropped_before", "expired_before"]

    /// The tables that both layouts have alike, but for what they say of the layout.
    static let tablesWithoutCounts = [
        (name: "kinds", columns: "kind_id, name"),
        (name: "logs", columns: "log_id, name"),
        (name: "checkpoints", columns: "log, up_to, state, saved_at"),
        (name: "banners", columns: "banner_id, name, target, tags, is_registered"),
        (name: "tally_sightings", columns: SightingTable.columns),
    ]

    static var version: Int64 { Int64(migrations.count) }

    static func migrator(for layout: Layout) -> DatabaseMigrator {
        var migrator = DatabaseMigrator().disablingDeferredForeignKeyChecks()
        for (index, migration) in migrations.enumerated() {
            migrator.registerMigration(migration.name) { database in
                if index > 0 { try check(layout, in: database) }
                try migration.run(database, layout)
                try database.execute(
                    sql: "INSERT OR REPLACE INTO tally_meta (name, value) VALUES ('schema_version', ?)",
                    arguments: [String(index + 1)])
            }
        }
        return migrator
    }

    /// - Returns: nil when the file is new.
    /// - Throws: `SQLiteDamage` when it belongs to something else.
    static func description(in database: Database) throws -> Description? {
        let tables = try Set(String.fetchAll(database, sql: "SELECT name FROM sqlite_master"))
            .filter { !$0.hasPrefix("sqlite_") && !$0.hasPrefix("grdb_") }
        if tables.isEmpty { return nil }
        guard tables.contains("tally_meta") else {
            throw SQLiteDamage("it is an SQLite file, but none of tally's: it has no table tally_meta")
        }
        guard let layout = try meta("layout", in: database).flatMap(Layout.init(rawValue:)) else {
            throw SQLiteDamage("tally_meta names no known layout")
        }
        guard let version = try meta("schema_version", in: database).flatMap({ Int64($0) }), version >= 1 else {
            throw SQLiteDamage("tally_meta names no schema version")
        }
        return Description(layout: layout, version: version)
    }

    /// Whether a store of this description can be opened here with this layout.
    static func check(_ found: Description, opening path: String, as layout: Layout) throws(StoreError) {
        guard found.version <= version else {
            throw .damaged(
                "the store at \(path) has schema version \(found.version), made by a newer tally; "
                    + "this tally knows versions up to \(version)")
        }
        guard found.layout == layout else {
            let directory = quoted(SQLiteFile.directory(of: path))
            throw .damaged(
                "the store at \(path) has the layout \(found.layout.rawValue), not \(layout.rawValue): "
                    + "use the layout \(found.layout.rawValue), or stop tally and convert the store with: "
                    + "tally store convert --data \(directory) --to \(layout.rawValue)")
        }
    }

    private static func meta(_ name: String, in database: Database) throws -> String? {
        try String.fetchOne(database, sql: "SELECT value FROM tally_meta WHERE name = ?", arguments: [name])
    }

    /// Another process may have made the file, in another layout, since it was looked at.
    private static func check(_ layout: Layout, in database: Database) throws {
        guard let found = try meta("layout", in: database), found != layout.rawValue else { return }
        throw SQLiteDamage("another process has made it in the layout \(found), not \(layout.rawValue)")
    }

    /// As a shell reads it.
    private static func quoted(_ path: String) -> String {
        let isPlain = path.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
            case UInt8(ascii: "0")...UInt8(ascii: "9"): true
            default: "/._-+,:@".utf8.contains(byte)
            }
        }
        return isPlain
            ? path : "'" + path.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }

    private static func createTables(in database: Database, layout: Layout) throws {
        try database.execute(
            sql: """
                CREATE TABLE tally_meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
                CREATE TABLE kinds (kind_id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
                CREATE TABLE logs (log_id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
                CREATE TABLE checkpoints (
                    log INTEGER PRIMARY KEY,
                    up_to INTEGER NOT NULL,
                    state BLOB NOT NULL,
                    saved_at INTEGER NOT NULL DEFAULT (unixepoch())
                ) STRICT;
                CREATE TABLE banners (
                    banner_id INTEGER PRIMARY KEY,
                    name TEXT,
                    target TEXT,
                    tags TEXT NOT NULL,
                    is_registered INTEGER NOT NULL
                ) STRICT;
                CREATE UNIQUE INDEX banners_by_name ON banners (name) WHERE name IS NOT NULL;
                """)
        try database.execute(
            sql: "INSERT INTO tally_meta (name, value) VALUES ('layout', ?)", arguments: [layout.rawValue])
        switch layout {
        case .minute: try createMinuteTable(in: database)
        case .hour: try createHourTable(in: database)
        }
    }

    private static func addHorizons(in database: Database, layout: Layout) throws {
        for column in horizons {
            try database.execute(sql: "ALTER TABLE logs ADD COLUMN \(column) INTEGER NOT NULL DEFAULT 0")
        }
    }

    private static func createHourTable(in database: Database) throws {
        try database.execute(
            sql: """
                CREATE TABLE hour_counts (
                    banner_id INTEGER NOT NULL,
                    kind INTEGER NOT NULL,
                    hour_timestamp INTEGER NOT NULL,
                    log INTEGER NOT NULL,
                    count_by_minute BLOB NOT NULL,
                    up_to INTEGER NOT NULL,
                    PRIMARY KEY (banner_id, kind, hour_timestamp, log)
                ) STRICT, WITHOUT ROWID;
                """)
    }

    /// The view adds the halves of the counts apart, since SQLite's SUM fails beyond 63 bits; a full counter stays full.
    private static func createMinuteTable(in database: Database) throws {
        try database.execute(
            sql: """
                CREATE TABLE minute_counts (
                    banner_id INTEGER NOT NULL,
                    kind INTEGER NOT NULL,
                    minute_timestamp INTEGER NOT NULL,
                    log INTEGER NOT NULL,
                    count INTEGER NOT NULL,
                    up_to INTEGER NOT NULL,
                    PRIMARY KEY (banner_id, kind, minute_timestamp, log)
                ) STRICT, WITHOUT ROWID;
                CREATE VIEW tally_minutes (banner_id, kind, minute_timestamp, count) AS
                    SELECT c.banner_id, k.name, c.minute_timestamp,
                        CASE WHEN SUM(c.count >> 32) + (SUM(c.count & 4294967295) >> 32) > 2147483647
                            THEN 9223372036854775807
                            ELSE (SUM(c.count >> 32) << 32) + SUM(c.count & 4294967295) END
                    FROM minute_counts c JOIN kinds k ON k.kind_id = c.kind
                    GROUP BY c.banner_id, c.kind, c.minute_timestamp;
                """)
    }
}
