// SPDX-License-Identifier: Apache-2.0

#if PostgreSQL

import Foundation
import TallyCore

/// The table `tally_banners`.
enum PostgreSQLBanners {
    static func all(_ connection: PostgreSQLConnection) throws(PostgreSQLFailure) -> [Banner] {
        let rows = try connection.run("SELECT banner_id, name, target, tags, is_registered FROM tally_banners")
        var banners: [Banner] = []
        banners.reserveCapacity(rows.rowCount)
        for row in 0..<rows.rowCount { banners.append(try banner(rows, row)) }
        return banners
    }

    static func save(_ banners: [Banner], _ connection: PostgreSQLConnection) throws(PostgreSQLFailure) {
        // Two savers take the rows in the same order, so that they wait for each other and not in a circle.
        let sorted = banners.sorted { $0.id < $1.id }
        let ids = PostgreSQLParameter.integers(sorted.map(\.id.value))
        var tags: [[UInt8]] = []
        for banner in sorted { tags.append(try document(banner.tags)) }
        let parameters: [PostgreSQLParameter] = [
            ids, .optionalTexts(sorted.map(\.name)), .optionalTexts(sorted.map(\.target)), .documents(tags),
            .flags(sorted.map(\.isRegistered)),
        ]
        try connection.transaction { () throws(PostgreSQLFailure) in
            // Names may wander between the banners of one call: all are given up before any is taken.
            _ = try connection.run(
                "UPDATE tally_banners SET name = NULL WHERE banner_id = ANY($1) AND name IS NOT NULL", [ids])
            _ = try connection.run(
                """
                INSERT INTO tally_banners (banner_id, name, target, tags, is_registered)
                SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::jsonb[], $5::boolean[])
                ON CONFLICT (banner_id) DO UPDATE SET name = excluded.name, target = excluded.target,
                    tags = excluded.tags, is_registered = excluded.is_registered
                """, parameters)
        }
    }

    private static func banner(_ rows: PostgreSQLResult, _ row: Int) throws(PostgreSQLFailure) -> Banner {
        let id = try PostgreSQLCountTable.banner(rows, row, 0)
        let name = rows.optionalText(row, 1)
        let target = rows.optionalText(row, 2)
        try check(name, 1...Limits.bannerNameBytes, "the name of banner \(id)")
        try check(target, 0...Limits.bannerTargetBytes, "the target of banner \(id)")
        let tags = try tags(try rows.document(row, 3), of: id)
        return Banner(
            id: id, name: name, target: target, tags: tags, isRegistered: try rows.integer(row, 4) != 0)
    }

    private static func document(_ tags: [String]) throws(PostgreSQLFailure) -> [UInt8] {
        do { return Array(try JSONEncoder().encode(tags)) } catch {
            throw .damage("tags that are no JSON: \(error)")
        }
    }

    private static func tags(_ json: ArraySlice<UInt8>, of id: BannerID) throws(PostgreSQLFailure) -> [String] {
        guard let tags = try? JSONDecoder().decode([String].self, from: Data(json)) else {
            throw .damage("the tags of banner \(id) are no JSON array of strings")
        }
        guard tags.count <= Limits.bannerTags else {
            throw .damage("banner \(id) has \(tags.count) tags; at most \(Limits.bannerTags) are allowed")
        }
        for tag in tags { try check(tag, 0...Limits.bannerTagBytes, "a tag of banner \(id)") }
        return tags
    }

    private static func check(_ text: String?, _ allowed: ClosedRange<Int>, _ what: String)
        throws(PostgreSQLFailure)
    {
        guard let text, !allowed.contains(text.utf8.count) else { return }
        throw .damage(
            "\(what) has \(text.utf8.count) bytes; \(allowed.lowerBound) to \(allowed.upperBound) are allowed")
    }
}

#endif
