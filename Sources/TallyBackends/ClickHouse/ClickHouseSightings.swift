// SPDX-License-Identifier: Apache-2.0

import NIOCore
package import TallyCore

/// The table `tally_sightings`. A day is a number, counted from 1970-01-01, since the type `Date` ends in 2106 on old servers.
///
/// It is read with the highest rank of each place, so that it doesn't matter which parts were merged. As with rows, what lies before
/// the horizon of a log isn't read from then on, and is dropped later, a partition at a time.
enum ClickHouseSightings {
    static let daysPerPartition: Int64 = ClickHouseCountTable.secondsPerPartition / 86_400
    /// 2105-12-31, behind which the type `Date` shows nothing right everywhere.
    private static let lastShown = 49_672

    /// Without its name.
    static func view(in database: String) -> String {
        let estimate = SightingTable.estimate(unseen: "unseen", seen: "seen", logarithm: "log")
        return """
            SELECT banner_id, toDate(toUInt16(if(number > \(lastShown), \(lastShown), number))) AS day,
                toInt64((\(estimate)) + 0.5) AS visitors
            FROM (
                SELECT banner_id, number, toFloat64(1024 - count()) AS unseen,
                    sum(1 / bitShiftLeft(toUInt64(1), highest)) AS seen
                FROM (
                    SELECT banner_id, day AS number, register, max(rank) AS highest
                    FROM \(database).tally_sightings
                    WHERE day >= (SELECT intDiv(max(dropped_before), 86400) FROM \(database).tally_horizons)
                    GROUP BY banner_id, number, register
                )
                GROUP BY banner_id, number
            )
            """
    }

    static func encode(_ sightings: some Collection<Sighting>) -> ByteBuffer {
        var writer = RowBinaryWriter(capacity: sightings.count * 15)
        for sighting in sightings {
            writer.write(sighting.place.banner.value)
            writer.write(sighting.place.day.sinceEpoch)
            writer.write(sighting.place.register)
            writer.write(sighting.rank)
        }
        return writer.buffer
    }

    static func select(_ condition: ClickHouseCondition) -> ClickHouseStatement {
        .select(
            """
            SELECT banner_id, day, register, max(rank) FROM tally_sightings WHERE \(condition.sql)
            GROUP BY banner_id, day, register
            """, with: condition.tables)
    }

    static func decode(_ answer: ByteBuffer) throws(ClickHouseDamage) -> [Sighting] {
        var reader = RowBinaryReader(answer)
        var sightings: [Sighting] = []
        while !reader.isAtEnd {
            let banner = try reader.readBanner()
            let day: UInt32 = try reader.read()
            let register: UInt16 = try reader.read()
            let rank: UInt8 = try reader.read()
            sightings.append(
                try Sighting.stored(
                    banner: banner, day: Int64(day), register: Int64(register), rank: Int64(rank),
                    or: ClickHouseDamage.init))
        }
        return sightings
    }

    /// - Parameter answer: numbers of days.
    static func decodeDays(_ answer: ByteBuffer) throws(ClickHouseDamage) -> [Day] {
        var reader = RowBinaryReader(answer)
        var days: [Day] = []
        while !reader.isAtEnd {
            let number: UInt32 = try reader.read()
            guard let day = Day(sinceEpoch: Int64(number)) else {
                throw ClickHouseDamage("tally_sightings has the day \(number)")
            }
            days.append(day)
        }
        return days.sorted()
    }

    /// The partitions that end before a day.
    static func partitions(before end: Day) -> ClickHouseStatement {
        let first = Int64(end.sinceEpoch) / daysPerPartition
        return .select(
            """
            SELECT DISTINCT toInt64(intDiv(day, \(daysPerPartition))) AS number FROM tally_sightings
            WHERE day < \(first * daysPerPartition)
            """)
    }

    static func decodePartitions(_ answer: ByteBuffer) throws(ClickHouseDamage) -> [Int64] {
        var reader = RowBinaryReader(answer)
        var numbers: [Int64] = []
        while !reader.isAtEnd { numbers.append(try reader.read()) }
        return numbers.sorted()
    }
}

extension [LogID: Horizon] {
    /// What lies before it is dropped, whoever counted it: it is not known any more whose it was.
    var firstDayOfSightings: Day { Day(of: values.map(\.dropped).max() ?? .first) }
}

extension ClickHouseStore {
    package func merge(_ sightings: [Sighting]) async throws(StoreError) {
        for batch in sightings.batches(of: ClickHouseStore.rowsPerInsert) {
            try await insert(
                into: "tally_sightings", SightingTable.columns, ClickHouseSightings.encode(batch))
        }
    }

    package func sightings(
        of banners: Set<BannerID>?, in days: ClosedRange<Day>
    ) async throws(StoreError) -> [Sighting] {
        let first = max(days.lowerBound, try await currentHorizons().firstDayOfSightings)
        guard first <= days.upperBound, banners?.isEmpty != true else { return [] }
        let condition = ClickHouseCondition(banners, in: first...days.upperBound)
        let answer = try await select(ClickHouseSightings.select(condition))
        return try decoding { () throws(ClickHouseDamage) in try ClickHouseSightings.decode(answer) }
    }

    package func daysWithSightings() async throws(StoreError) -> [Day] {
        let first = try await currentHorizons().firstDayOfSightings
        let answer = try await select(
            .select("SELECT DISTINCT day FROM tally_sightings WHERE day >= \(first.sinceEpoch)"))
        return try decoding { () throws(ClickHouseDamage) in try ClickHouseSightings.decodeDays(answer) }
    }

    /// - Parameter settled: horizons before which nobody reads any more.
    func dropOutdatedSightings(_ settled: [LogID: Horizon]) async throws(StoreError) {
        let first = settled.firstDayOfSightings
        guard first > .first else { return }
        let answer = try await select(ClickHouseSightings.partitions(before: first))
        let outdated = try decoding { () throws(ClickHouseDamage) in try ClickHouseSightings.decodePartitions(answer) }
        for partition in outdated { try await drop(partition, of: "tally_sightings") }
    }
}
