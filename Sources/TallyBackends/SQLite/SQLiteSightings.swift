// SPDX-License-Identifier: Apache-2.0

import GRDB
package import TallyCore

/// The table `tally_sightings`, in the order of its key (banner, day, register). A day is a number, counted from 1970-01-01.
enum SQLiteSightings {
    /// Days of a banner that one transaction looks at to delete them.
    private static let daysPerTransaction = 200
    /// So few banners are sought in any case; more, when there is a page for each. Otherwise the table is read as a whole.
    private static let fewBanners = 1_000

    /// The view needs SQLite's mathematical functions only when it is asked.
    static func add(in database: Database, layout: Layout) throws {
        let estimate = SightingTable.estimate(unseen: "unseen", seen: "seen", logarithm: "ln")
        try database.execute(
            sql: """
                CREATE TABLE tally_sightings (
                    banner_id INTEGER NOT NULL,
                    day INTEGER NOT NULL,
                    register INTEGER NOT NULL,
                    rank INTEGER NOT NULL,
                    PRIMARY KEY (banner_id, day, register)
                ) STRICT, WITHOUT ROWID;
                CREATE VIEW tally_visitors (banner_id, day, visitors) AS
                    SELECT banner_id, date(day * 86400, 'unixepoch'), CAST(\(estimate) + 0.5 AS INTEGER)
                    FROM (
                        SELECT banner_id, day, 1024.0 - COUNT(*) AS unseen, SUM(1.0 / (1 << rank)) AS seen
                        FROM tally_sightings
                        GROUP BY banner_id, day
                    );
                """)
    }

    static func merge(_ sightings: some Sequence<Sighting>, in database: Database) throws {
        let statement = try database.cachedStatement(
            sql: """
                INSERT INTO tally_sightings (\(SightingTable.columns)) VALUES (?, ?, ?, ?)
                ON CONFLICT (banner_id, day, register)
                DO UPDATE SET rank = excluded.rank WHERE excluded.rank > tally_sightings.rank
                """)
        for sighting in sightings {
            let place = sighting.place
            try statement.execute(
                arguments: [place.banner.value, place.day.sinceEpoch, place.register, sighting.rank])
        }
    }

    // MARK: - Reading

    static func sightings(
        of banners: Set<BannerID>?, in days: ClosedRange<Day>, in database: Database
    ) throws -> [Sighting] {
        let select = "SELECT \(SightingTable.columns) FROM tally_sightings WHERE day BETWEEN ? AND ?"
        let range: StatementArguments = [days.lowerBound.sinceEpoch, days.upperBound.sinceEpoch]
        guard let sought = try bannersToSeek(banners, in: database) else {
            let all = try sightings(select, range, in: database)
            return banners.map { banners in all.filter { banners.contains($0.place.banner) } } ?? all
        }
        return try sought.flatMap { try sightings(select + " AND banner_id = ?", range + [$0], in: database) }
    }

    private static func sightings(
        _ select: String, _ arguments: StatementArguments, in database: Database
    ) throws -> [Sighting] {
        let rows = try GRDB.Row.fetchCursor(try database.cachedStatement(sql: select), arguments: arguments)
        var sightings: [Sighting] = []
        while let row = try rows.next() {
            sightings.append(
                try Sighting.stored(
                    banner: try row.banner(at: 0), day: try row.integer(at: 1, "a day"),
                    register: try row.integer(at: 2, "a register"), rank: try row.integer(at: 3, "a rank"),
                    or: SQLiteDamage.init))
        }
        return sightings
    }

    /// - Returns: nil when these are so many that reading all is faster.
    private static func bannersToSeek(_ banners: Set<BannerID>?, in database: Database) throws -> [Int64]? {
        let pages = try Int.fetchOne(database, sql: "PRAGMA page_count") ?? 0
        let most = max(pages, fewBanners)
        if let banners { return banners.count > most ? nil : banners.map(\.value).sorted() }
        // Leaps from each banner to the next.
        let next = try database.cachedStatement(
            sql: "SELECT banner_id FROM tally_sightings WHERE banner_id > ? ORDER BY banner_id LIMIT 1")
        var found: [Int64] = []
        while let banner = try Int64.fetchOne(next, arguments: [found.last ?? .min]) {
            guard found.count < most else { return nil }
            found.append(banner)
        }
        return found
    }

    static func days(in database: Database) throws -> [Day] {
        let numbers = try Int64.fetchAll(database, sql: "SELECT DISTINCT day FROM tally_sightings ORDER BY day")
        return try numbers.map { number in
            guard let day = Day(sinceEpoch: number) else { throw SQLiteDamage("tally_sightings has the day \(number)") }
            return day
        }
    }

    // MARK: - Retention

    /// A day of a banner.
    struct Place: Sendable {
        var banner: Int64
        var day: Int64
        static let start = Place(banner: .min, day: .min)
    }

    /// Deletes some of what lies before a day, in the order of the key.
    /// - Returns: the last place that was looked at; nil at the end.
    static func drop(before end: Day, after last: Place, in database: Database) throws -> Place? {
        let next = try database.cachedStatement(
            sql: """
                SELECT banner_id, day FROM tally_sightings WHERE (banner_id, day) > (?, ?)
                ORDER BY banner_id, day LIMIT 1
                """)
        let delete = try database.cachedStatement(sql: "DELETE FROM tally_sightings WHERE banner_id = ? AND day = ?")
        var place = last
        for _ in 0..<daysPerTransaction {
            guard let row = try GRDB.Row.fetchOne(next, arguments: [place.banner, place.day]) else { return nil }
            place = Place(banner: try row.integer(at: 0, "a banner_id"), day: try row.integer(at: 1, "a day"))
            if place.day < Int64(end.sinceEpoch) {
                try delete.execute(arguments: [place.banner, place.day])
            } else {
                // All other days of this banner stay.
                place.day = .max
            }
        }
        return place
    }
}

extension SQLiteStore {
    package func merge(_ sightings: [Sighting]) async throws(StoreError) {
        // So that each page is touched once.
        let sorted = sightings.inTableOrder()
        for batch in sorted.batches(of: SQLiteStore.rowsPerTransaction) {
            try await write { database in try SQLiteSightings.merge(batch, in: database) }
        }
    }

    package func sightings(
        of banners: Set<BannerID>?, in days: ClosedRange<Day>
    ) async throws(StoreError) -> [Sighting] {
        try await read { database in try SQLiteSightings.sightings(of: banners, in: days, in: database) }
    }

    package func daysWithSightings() async throws(StoreError) -> [Day] {
        try await read { database in try SQLiteSightings.days(in: database) }
    }

    /// A few transactions, so that nobody waits for long.
    func dropSightings(before end: Day) async throws(StoreError) {
        var last: SQLiteSightings.Place? = end > .first ? .start : nil
        while let next = last {
            last = try await write { database in try SQLiteSightings.drop(before: end, after: next, in: database) }
        }
    }
}
