// SPDX-License-Identifier: Apache-2.0

#if PostgreSQL

package import TallyCore

/// The table `tally_sightings`. Days travel as numbers, counted from 1970-01-01.
enum PostgreSQLSightings {
    /// The most rows that one statement deletes.
    private static let rowsPerDeletion = 100_000
    private static let epoch = "date '1970-01-01'"

    /// The highest rank wins.
    private static let merge = """
        INSERT INTO tally_sightings AS stored (\(SightingTable.columns))
        SELECT banner_id, \(epoch) + day::integer, register, rank
        FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) AS given(\(SightingTable.columns))
        ON CONFLICT (banner_id, day, register) DO UPDATE
        SET rank = excluded.rank WHERE excluded.rank > stored.rank
        """

    static func merge(
        _ sightings: some Collection<Sighting>, _ connection: PostgreSQLConnection
    ) throws(PostgreSQLFailure) {
        let columns: [PostgreSQLParameter] = [
            .integers(sightings.map(\.place.banner.value)), .integers(sightings.map { Int64($0.place.day.sinceEpoch) }),
            .integers(sightings.map { Int64($0.place.register) }), .integers(sightings.map { Int64($0.rank) }),
        ]
        _ = try connection.run(merge, columns)
    }

    static func sightings(
        of banners: Set<BannerID>?, in days: ClosedRange<Day>, _ connection: PostgreSQLConnection
    ) throws(PostgreSQLFailure) -> [Sighting] {
        var sql = """
            SELECT banner_id, day - \(epoch), register, rank FROM tally_sightings
            WHERE day BETWEEN \(epoch) + $1::integer AND \(epoch) + $2::integer
            """
        var parameters: [PostgreSQLParameter] = [number(days.lowerBound), number(days.upperBound)]
        if let banners {
            sql += " AND banner_id = ANY($3)"
            parameters.append(.integers(banners.map(\.value).sorted()))
        }
        let rows = try connection.run(sql, parameters)
        var sightings: [Sighting] = []
        sightings.reserveCapacity(rows.rowCount)
        for row in 0..<rows.rowCount {
            sightings.append(
                try Sighting.stored(
                    banner: try PostgreSQLCountTable.banner(rows, row, 0), day: try rows.integer(row, 1),
                    register: try rows.integer(row, 2), rank: try rows.integer(row, 3),
                    or: PostgreSQLFailure.damage))
        }
        return sightings
    }

    static func days(_ connection: PostgreSQLConnection) throws(PostgreSQLFailure) -> [Day] {
        let rows = try connection.run("SELECT DISTINCT day - \(epoch) AS number FROM tally_sightings ORDER BY number")
        var days: [Day] = []
        for row in 0..<rows.rowCount {
            let number = try rows.integer(row, 0)
            guard let day = Day(sinceEpoch: number) else { throw .damage("tally_sightings has the day \(number)") }
            days.append(day)
        }
        return days
    }

    /// - Returns: whether there may be more.
    static func drop(before end: Day, _ connection: PostgreSQLConnection) throws(PostgreSQLFailure) -> Bool {
        let deleted = try connection.run(
            """
            DELETE FROM tally_sightings WHERE ctid = ANY(ARRAY(
                SELECT ctid FROM tally_sightings WHERE day < \(epoch) + $1::integer LIMIT \(rowsPerDeletion)))
            """, [number(end)])
        return deleted.affectedRows > 0
    }

    private static func number(_ day: Day) -> PostgreSQLParameter { .integer(Int64(day.sinceEpoch)) }
}

extension PostgreSQLSchema {
    /// Migration 3, the same in both layouts. The columns stand in the order that needs no padding.
    var sightingTable: String {
        """
        CREATE TABLE tally_sightings (
            banner_id bigint NOT NULL,
            day date NOT NULL,
            register smallint NOT NULL,
            rank smallint NOT NULL,
            PRIMARY KEY (banner_id, day, register)
        );
        CREATE INDEX tally_sightings_by_day ON tally_sightings USING brin (day);
        CREATE VIEW tally_visitors AS
            SELECT banner_id, day, floor(
                \(SightingTable.estimate(unseen: "unseen", seen: "seen", logarithm: "ln")) + 0.5)::bigint AS visitors
            FROM (
                SELECT banner_id, day, (1024 - count(*))::double precision AS unseen,
                    sum(power(2::double precision, -rank)) AS seen
                FROM tally_sightings GROUP BY banner_id, day
            ) AS registers;

        """
    }
}

extension PostgreSQLStore {
    package func merge(_ sightings: [Sighting]) async throws(StoreError) {
        // In the order of the key: two writers take the rows in the same order, and wait for each other but not in a circle.
        let sorted = sightings.inTableOrder()
        for batch in sorted.batches(of: PostgreSQLStore.rowsPerStatement) {
            try await run { connection throws(PostgreSQLFailure) in try PostgreSQLSightings.merge(batch, connection) }
        }
    }

    package func sightings(
        of banners: Set<BannerID>?, in days: ClosedRange<Day>
    ) async throws(StoreError) -> [Sighting] {
        try await run { connection throws(PostgreSQLFailure) in
            try PostgreSQLSightings.sightings(of: banners, in: days, connection)
        }
    }

    package func daysWithSightings() async throws(StoreError) -> [Day] {
        try await run { connection throws(PostgreSQLFailure) in try PostgreSQLSightings.days(connection) }
    }

    func dropSightings(before end: Day) async throws(StoreError) {
        var isMore = end > .first
        while isMore {
            isMore = try await run { connection throws(PostgreSQLFailure) in
                try PostgreSQLSightings.drop(before: end, connection)
            }
        }
    }
}

#endif
