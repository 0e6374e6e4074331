// SPDX-License-Identifier: Apache-2.0

#if PostgreSQL

package import TallyCore

/// The tables of a store and how they came to be; described in `docs/postgresql-schema.md`.
package struct PostgreSQLSchema: Sendable {
    /// What the tables say of themselves.
    struct Description: Equatable, Sendable {
        let layout: Layout
        let version: Int
    }

    /// One migration at a time in a database, whoever runs it: "tally" in ASCII.
    private static let lock: Int64 = 0x74_61_6c_6c_79

    let layout: Layout

    package init(layout: Layout) { self.layout = layout }

    /// In the order of their numbers, from 1. Append; never change one that was released.
    private var migrations: [String] {
        [PostgreSQLSchema.tables + (layout == .minute ? minuteTable : hourTable), trafficViews, sightingTable]
    }

    var version: Int { migrations.count }

    /// All that makes the tables, for somebody who may, and what they must permit to the role of tally.
    package var script: String {
        let steps = migrations.indices.map { "-- Migration \($0 + 1)\n" + statements(ofMigration: $0) }
        return """
            -- The tables of tally, layout \(layout). Run it in the schema where they shall be, once. The role that tally uses then
            -- needs no more than: GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA … TO …;
            BEGIN;

            \(steps.joined(separator: "\n"))
            COMMIT;

            """
    }

    /// Makes the tables, or brings them up to this version; says so when they are not for this store.
    func prepare(_ connection: PostgreSQLConnection) throws(PostgreSQLFailure) {
        if try isCurrent(connection) { return }
        try connection.transaction { () throws(PostgreSQLFailure) in
            _ = try connection.run("SELECT pg_advisory_xact_lock($1)", [.integer(PostgreSQLSchema.lock)])
            // Another node may have done it meanwhile.
            if try isCurrent(connection) { return }
            let found = try PostgreSQLSchema.description(connection)
            for index in (found?.version ?? 0)..<version {
                try connection.run(script: statements(ofMigration: index))
            }
        }
    }

    /// - Throws: when the tables have the other layout, or were made by a newer tally.
    private func isCurrent(_ connection: PostgreSQLConnection) throws(PostgreSQLFailure) -> Bool {
        guard let found = try PostgreSQLSchema.description(connection) else { return false }
        guard found.version <= version else {
            throw .damage(
                "its tables have schema version \(found.version), made by a newer tally; this tally knows versions up to \(version)"
            )
        }
        guard found.layout == layout else {
            throw .damage(
                "its tables have the layout \(found.layout), not \(layout): use --layout \(found.layout), or copy it into another "
                    + "database or schema with: tally store copy --from … --to … --layout \(layout)")
        }
        return found.version == version
    }

    /// - Returns: nil when there are no tables yet.
    static func description(_ connection: PostgreSQLConnection) throws(PostgreSQLFailure) -> Description? {
        // Not `to_regclass`: it may answer from a cache that doesn't know yet what another node has made while this one waited
        // for the lock.
        let table = try connection.run(
            "SELECT 1 FROM pg_catalog.pg_class WHERE relname = 'tally_meta' AND pg_catalog.pg_table_is_visible(oid)")
        if table.rowCount == 0 { return nil }
        let rows = try connection.run("SELECT name, value FROM tally_meta")
        var meta: [String: String] = [:]
        for row in 0..<rows.rowCount { meta[rows.text(row, 0)] = rows.text(row, 1) }
        guard let layout = meta["layout"].flatMap(Layout.init(rawValue:)) else {
            throw .damage("tally_meta names no known layout")
        }
        guard let version = meta["schema_version"].flatMap({ Int($0) }), version >= 1 else {
            throw .damage("tally_meta names no schema version")
        }
        return Description(layout: layout, version: version)
    }

    private func statements(ofMigration index: Int) -> String {
        migrations[index] + """
            INSERT INTO tally_meta (name, value) VALUES ('schema_version', '\(index + 1)')
                ON CONFLICT (name) DO UPDATE SET value = excluded.value;

            """
    }
}

extension PostgreSQLSchema {
    private static let tables = """
        CREATE TABLE tally_meta (name text PRIMARY KEY, value text NOT NULL);
        CREATE TABLE tally_logs (
            log_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            name text NOT NULL UNIQUE,
            collapsed_before timestamptz,
            dropped_before timestamptz,
            expired_before timestamptz
        );
        CREATE TABLE tally_checkpoints (
            log integer PRIMARY KEY REFERENCES tally_logs,
            up_to bigint NOT NULL,
            state bytea NOT NULL,
            saved_at timestamptz NOT NULL DEFAULT now()
        );
        CREATE TABLE tally_banners (
            banner_id bigint PRIMARY KEY,
            name text,
            target text,
            tags jsonb NOT NULL,
            is_registered boolean NOT NULL
        );
        CREATE UNIQUE INDEX tally_banners_by_name ON tally_banners (name) WHERE name IS NOT NULL;

        """

    /// The key begins with banner and time, so that a banner's minutes are neighbours, of whatever kind; the columns stand in the
    /// order that needs no padding.
    private var minuteTable: String {
        """
        CREATE TABLE tally_minute_counts (
            banner_id bigint NOT NULL,
            minute_timestamp timestamptz NOT NULL,
            count bigint NOT NULL,
            up_to bigint NOT NULL,
            log integer NOT NULL,
            kind text COLLATE "C" NOT NULL,
            PRIMARY KEY (banner_id, minute_timestamp, kind, log)
        );
        CREATE INDEX tally_minute_counts_by_time ON tally_minute_counts USING brin (minute_timestamp);
        CREATE VIEW tally_minutes AS
            SELECT banner_id, kind, minute_timestamp, least(sum(count), 9223372036854775807)::bigint AS count
            FROM tally_minute_counts
            GROUP BY banner_id, minute_timestamp, kind;
        INSERT INTO tally_meta (name, value) VALUES ('layout', 'minute');

        """
    }

    private var hourTable: String {
        """
        CREATE TABLE tally_hour_counts (
            banner_id bigint NOT NULL,
            hour_timestamp timestamptz NOT NULL,
            up_to bigint NOT NULL,
            log integer NOT NULL,
            kind text COLLATE "C" NOT NULL,
            count_by_minute jsonb NOT NULL,
            PRIMARY KEY (banner_id, hour_timestamp, kind, log)
        );
        CREATE INDEX tally_hour_counts_by_time ON tally_hour_counts USING brin (hour_timestamp);
        CREATE VIEW tally_minutes AS
            SELECT banner_id, kind, hour_timestamp + key::integer * interval '1 minute' AS minute_timestamp,
                least(sum(value::bigint), 9223372036854775807)::bigint AS count
            FROM tally_hour_counts CROSS JOIN LATERAL jsonb_each_text(count_by_minute)
            GROUP BY banner_id, hour_timestamp, key, kind;
        INSERT INTO tally_meta (name, value) VALUES ('layout', 'hour');

        """
    }
}

#endif
