// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// The tables of a store and how they came to be; described in `docs/clickhouse-schema.md`.
///
/// Every statement may be run again, also by two processes at the same time.
struct ClickHouseSchema: Sendable {
    /// What a database says of itself.
    struct Description: Equatable, Sendable {
        /// nil as long as there is no table of counts.
        var layout: Layout?
        /// The number of the last migration that was finished; 0 for none.
        var version: Int64
    }

    private struct Migration: Sendable {
        let statements: @Sendable (ClickHouseSchema) -> [String]
    }

    /// In the order of their numbers, from 1. Append; never change one that was released.
    private static let migrations = [
        Migration(statements: { $0.firstTables }), Migration(statements: { $0.trafficViews }),
        Migration(statements: { $0.sightingTable }),
    ]

    static var version: Int64 { Int64(migrations.count) }

    let layout: Layout
    let database: String
    let cluster: String?
    let features: ClickHouseFeatures

    /// What takes a database of this version to the newest one.
    func statements(after version: Int64) -> [String] {
        let missing = ClickHouseSchema.migrations.enumerated().dropFirst(Int(version))
        return (version == 0 ? migrationsTable : [])
            + missing.flatMap { index, migration in
                migration.statements(self)
                    + ["INSERT INTO \(database).tally_migrations (version) VALUES (\(index + 1))"]
            }
    }

    /// Whether a store of this description can be used with this layout.
    func check(_ found: Description, at url: ClickHouseURL) throws(StoreError) {
        guard found.version <= ClickHouseSchema.version else {
            throw .damaged(
                "the store at \(url) has schema version \(found.version), made by a newer tally; "
                    + "this tally knows versions up to \(ClickHouseSchema.version)")
        }
        guard let other = found.layout, other != layout else { return }
        throw .damaged(
            "the store at \(url) has the layout \(other.rawValue), not \(layout.rawValue): use the layout "
                + "\(other.rawValue), or copy the counts into another database with: tally store copy")
    }

    static func describe(_ client: ClickHouseClient) async throws(StoreError) -> Description {
        let sql = """
            SELECT table, name FROM system.columns WHERE database = '\(client.url.database)'
            AND table IN ('tally_counts', 'tally_migrations')
            """
        var description = Description(layout: nil, version: 0)
        var reader = RowBinaryReader(try await client.run(.select(sql)))
        var hasMigrations = false
        do {
            while !reader.isAtEnd {
                switch (try reader.readText(), try reader.readText()) {
                case ("tally_counts", "minute_timestamp"): description.layout = .minute
                case ("tally_counts", "hour_timestamp"): description.layout = .hour
                case ("tally_migrations", _): hasMigrations = true
                default: break
                }
            }
            guard hasMigrations else { return description }
            reader = RowBinaryReader(
                try await client.run(.select("SELECT toInt64(max(version)) FROM tally_migrations")))
            if !reader.isAtEnd { description.version = try reader.read() }
            return description
        } catch {
            throw client.failure(error)
        }
    }
}

// MARK: - Tables

extension ClickHouseSchema {
    private var firstTables: [String] {
        let table = ClickHouseCountTable(layout: layout)
        let groups = [
            counts("tally_counts", table), counts("tally_collapsed", table),
            tables(
                "tally_horizons",
                """
                log String,
                collapsed_before Int64,
                dropped_before Int64,
                set_at DateTime DEFAULT now()
                """,
                version: nil, key: "log, collapsed_before, dropped_before"),
            tables(
                "tally_checkpoints",
                """
                log String,
                up_to UInt64,
                state String,
                saved_at DateTime DEFAULT now()
                """,
                version: "up_to", key: "log"),
            tables(
                "tally_banners",
                """
                banner_id Int64,
                name Nullable(String),
                target Nullable(String),
                tags Array(String),
                is_registered UInt8
                """,
                version: nil, key: "banner_id"),
            ["CREATE VIEW IF NOT EXISTS \(database).tally_minutes\(onCluster) AS\n\(table.view(in: database))"],
        ]
        return groups.flatMap { $0 }
    }

    /// Since there are invalid events: `tally_minutes` has what was sent, as before, and `tally_traffic` has beside it what is
    /// invalid and what is left.
    private var trafficViews: [String] {
        let table = ClickHouseCountTable(layout: layout)
        return [
            "DROP TABLE IF EXISTS \(database).tally_minutes\(onCluster)",
            "CREATE VIEW IF NOT EXISTS \(database).tally_minutes\(onCluster) AS\n"
                + table.view(in: database, where: "position(kind, '.') = 0"),
            "CREATE VIEW IF NOT EXISTS \(database).tally_traffic\(onCluster) AS\n\(table.trafficView(in: database))",
        ]
    }

    /// The sightings of a banner meet on one shard, as its rows do.
    private var sightingTable: [String] {
        tables(
            "tally_sightings",
            """
            banner_id Int64,
            day UInt32\(codec("DoubleDelta, ZSTD")),
            register UInt16\(codec("DoubleDelta, ZSTD")),
            rank UInt8\(codec("ZSTD"))
            """,
            version: "rank", key: "banner_id, day, register", shard: "intHash64(banner_id)",
            partition: "intDiv(day, \(ClickHouseSightings.daysPerPartition))") + [
                "CREATE VIEW IF NOT EXISTS \(database).tally_visitors\(onCluster) AS\n"
                    + ClickHouseSightings.view(in: database)
            ]
    }

    private func counts(_ name: String, _ table: ClickHouseCountTable) -> [String] {
        tables(
            name,
            """
            banner_id Int64,
            kind \(nameType),
            \(table.timestamp) Int64\(codec("DoubleDelta, ZSTD")),
            log \(nameType),
            \(table.counts) \(table.countsType)\(codec("T64, ZSTD")),
            up_to UInt64\(codec("DoubleDelta, ZSTD"))
            """,
            version: "up_to", key: "banner_id, kind, \(table.timestamp), log", shard: "intHash64(banner_id)",
            partition: "intDiv(\(table.timestamp), \(ClickHouseCountTable.secondsPerPartition))")
    }

    private var migrationsTable: [String] {
        tables("tally_migrations", "version UInt32,\napplied_at DateTime DEFAULT now()", version: nil, key: "version")
    }

    /// A name of which there are few.
    private var nameType: String { features.hasCodecs ? "LowCardinality(String)" : "String" }

    private func codec(_ codec: String) -> String { features.hasCodecs ? " CODEC(\(codec))" : "" }

    private var onCluster: String { cluster.map { " ON CLUSTER \($0)" } ?? "" }

    /// The table; in a cluster also the one that leads to the shards. A table without a shard of its own for each row
    /// is small, and lies on the first shard as a whole: then a block that is written is there or not.
    private func tables(
        _ name: String, _ columns: String, version: String?, key: String, shard: String = "0", partition: String? = nil
    ) -> [String] {
        let local = cluster == nil ? name : name + "_local"
        let versions = [version].compactMap { $0 }
        let arguments =
            cluster == nil
            ? versions : ["'/clickhouse/tables/{shard}/\(database)/\(name)'", "'{replica}'"] + versions
        let engine = (cluster == nil ? "" : "Replicated") + "ReplacingMergeTree"
        var lines = [
            "CREATE TABLE IF NOT EXISTS \(database).\(local)\(onCluster) (",
            "    " + columns.replacing("\n", with: "\n    "),
            ")", "ENGINE = \(engine)\(arguments.isEmpty ? "" : "(\(arguments.joined(separator: ", ")))")",
        ]
        if let partition { lines.append("PARTITION BY \(partition)") }
        lines.append("ORDER BY (\(key))")
        if !features.tableSettings.isEmpty {
            lines.append("SETTINGS " + features.tableSettings.sorted().map { "\($0) = 1" }.joined(separator: ", "))
        }
        let table = lines.joined(separator: "\n")
        guard let cluster else { return [table] }
        let distributed = """
            CREATE TABLE IF NOT EXISTS \(database).\(name)\(onCluster) AS \(database).\(local)
            ENGINE = Distributed(\(cluster), \(database), \(local), \(shard))
            """
        return [table, distributed]
    }
}
