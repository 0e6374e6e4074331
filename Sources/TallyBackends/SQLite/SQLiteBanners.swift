// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import TallyCore

/// The table `banners`.
enum SQLiteBanners {
    static func all(in database: Database) throws -> [Banner] {
        let statement = try database.cachedStatement(
            sql: "SELECT banner_id, name, target, tags, is_registered FROM banners")
        let rows = try GRDB.Row.fetchCursor(statement)
        var banners: [Banner] = []
        while let row = try rows.next() { banners.append(try banner(from: row)) }
        return banners
    }

    static func save(_ banners: [Banner], in database: Database) throws {
        // Names may wander between the banners of one call: all are given up before any is taken.
        let release = try database.cachedStatement(sql: "UPDATE banners SET name = NULL WHERE banner_id = ?")
        for banner in banners { try release.execute(arguments: [banner.id.value]) }
        // Not REPLACE, which would delete another banner of the same name.
        let replace = try database.cachedStatement(
            sql: """
                INSERT INTO banners (banner_id, name, target, tags, is_registered) VALUES (?, ?, ?, ?, ?)
                ON CONFLICT (banner_id) DO UPDATE SET name = excluded.name, target = excluded.target,
                    tags = excluded.tags, is_registered = excluded.is_registered
                """)
        for banner in banners {
            let tags = String(decoding: try JSONEncoder().encode(banner.tags), as: UTF8.self)
            try replace.execute(
                arguments: [banner.id.value, banner.name, banner.target, tags, banner.isRegistered ? 1 : 0])
        }
    }

    private static func banner(from row: GRDB.Row) throws -> Banner {
        let id = try row.banner(at: 0)
        let name = try row.optionalText(at: 1, "the name of banner \(id)")
        let target = try row.optionalText(at: 2, "the target of banner \(id)")
        try check(name, 1...Limits.bannerNameBytes, "the name of banner \(id)")
        try check(target, 0...Limits.bannerTargetBytes, "the target of banner \(id)")
        let isRegistered = try row.integer(at: 4, "is_registered of banner \(id)")
        guard (0...1).contains(isRegistered) else {
            throw SQLiteDamage("is_registered of banner \(id) is \(isRegistered), neither 0 nor 1")
        }
        let tags = try tags(from: try row.text(at: 3, "the tags of banner \(id)"), of: id)
        return Banner(id: id, name: name, target: target, tags: tags, isRegistered: isRegistered == 1)
    }

    private static func tags(from json: String, of id: BannerID) throws -> [String] {
        guard let tags = try? JSONDecoder().decode([String].self, from: Data(json.utf8)) else {
            throw SQLiteDamage("the tags of banner \(id) are no JSON array of strings")
        }
        guard tags.count <= Limits.bannerTags else {
            throw SQLiteDamage("banner \(id) has \(tags.count) tags; at most \(Limits.bannerTags) are allowed")
        }
        for tag in tags { try check(tag, 0...Limits.bannerTagBytes, "a tag of banner \(id)") }
        return tags
    }

    private static func check(_ text: String?, _ allowed: ClosedRange<Int>, _ what: String) throws {
        guard let text, !allowed.contains(text.utf8.count) else { return }
        throw SQLiteDamage(
            "\(what) has \(text.utf8.count) bytes; \(allowed.lowerBound) to \(allowed.upperBound) are allowed")
    }
}
