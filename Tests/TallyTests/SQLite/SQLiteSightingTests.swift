// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import TallyCore
import TallySimulator
import Testing

@testable import TallyBackends

@Suite("Sightings of visitors in SQLite")
struct SQLiteSightingTests: SQLiteStoreTesting {
    let directory: StoreTestDirectory

    init() throws { directory = try StoreTestDirectory() }

    @Test("the view estimates as the sketch does", arguments: Layout.allCases)
    func view(_ layout: Layout) async throws {
        let seed = UInt64.random(in: 0 ... .max)
        print("SQLiteSightingTests: seed \(seed)")
        let sample = SampleVisitors(seed: seed)
        let store = try open(layout)
        try await sample.merge(into: store)
        let shown = try await store.read { database in
            try GRDB.Row.fetchAll(
                database, sql: "SELECT banner_id, day, visitors FROM tally_visitors ORDER BY banner_id"
            )
            .map { row in ["\(row[0] as Int64)", row[1] as String, "\(row[2] as Int64)"] }
        }
        #expect(shown == sample.expected)
        let plan = try await store.read { database in
            try GRDB.Row.fetchAll(
                database, sql: "EXPLAIN QUERY PLAN SELECT * FROM tally_visitors WHERE banner_id = 3"
            ).map { $0["detail"] as String }
        }
        #expect(plan.contains { $0.contains("SEARCH tally_sightings") && $0.contains("banner_id=?") }, "\(plan)")
    }

    @Test("the view shows the last day of all")
    func lastDay() async throws {
        let store = try open()
        let place = Sighting.Place(banner: StoreTest.banner(.max), day: .last, register: 0)
        try await store.merge([Sighting(place: place, rank: 1)])
        let day = try await store.read { try String.fetchOne($0, sql: "SELECT day FROM tally_visitors") }
        #expect(day == "9999-12-31")
    }

    @Test("a store without the table gets it when it is opened", arguments: Layout.allCases)
    func migration(_ layout: Layout) async throws {
        let earlier = """
            DROP VIEW tally_visitors; DROP TABLE tally_sightings;
            DELETE FROM grdb_migrations WHERE identifier = '4 sightings of visitors';
            UPDATE tally_meta SET value = '3' WHERE name = 'schema_version';
            """
        let store = try await open(layout, tamperedBy: earlier) { store in
            try await store.merge([row(in: layout)], of: StoreTest.log)
        }
        try await store.merge([StoreTest.sighting(1)])
        #expect(try await store.sightings(of: nil, in: .first ... .last) == [StoreTest.sighting(1)])
        #expect(try await store.rows(in: .everything).map(\.row) == [row(in: layout)])
        let version = try await store.read {
            try String.fetchOne($0, sql: "SELECT value FROM tally_meta WHERE name = 'schema_version'")
        }
        #expect(version == "4")
    }

    @Test(
        "values that can't be are damaged",
        arguments: [
            "register = 1024", "register = -1", "rank = 0", "rank = 56", "day = -1", "day = 2932897", "banner_id = 0",
        ])
    func damage(_ change: String) async throws {
        let store = try await open(tamperedBy: "UPDATE tally_sightings SET \(change)") { store in
            try await store.merge([StoreTest.sighting(1)])
        }
        let words = change.split(separator: " = ").map(String.init)
        if words[0] == "day" {
            // In no range that can be asked for.
            await expectFailure(isDamaged, saying: path, "the day \(words[1])") {
                _ = try await store.daysWithSightings()
            }
        } else {
            await expectFailure(isDamaged, saying: path, words[1]) {
                _ = try await store.sightings(of: nil, in: .first ... .last)
            }
        }
    }

    @Test("the old days of more banners than one transaction has go, also where the whole table is read")
    func manyBanners() async throws {
        let store = try open()
        let stored = (1...1_500).flatMap { id in (-2...1).map { StoreTest.sighting(id, day: $0) } }
        try await store.merge(stored)
        let days = StoreTest.day(-1)...StoreTest.day(0)
        let some = Set((500...2_500).map(StoreTest.banner))
        let inRange = stored.filter { days.contains($0.place.day) }
        #expect(try await Set(store.sightings(of: nil, in: days)) == Set(inRange))
        let chosen = inRange.filter { some.contains($0.place.banner) }
        #expect(try await Set(store.sightings(of: some, in: days)) == Set(chosen))
        #expect(try await store.daysWithSightings() == (-2...1).map(StoreTest.day))
        let horizon = Horizon(collapsed: StoreTest.minute(0), dropped: StoreTest.minute(0))
        try await store.expire(before: horizon, of: StoreTest.log)
        let kept = stored.filter { $0.place.day >= StoreTest.day(0) }
        #expect(try await Set(store.sightings(of: nil, in: .first ... .last)) == Set(kept))
        #expect(try await store.daysWithSightings() == [StoreTest.day(0), StoreTest.day(1)])
    }

    @Test("a sketch that is full takes at most 16 KiB")
    func size() async throws {
        let banners: Int64 = 50
        var random = SeededGenerator(seed: 8)
        let full = StoreTest.fullSketches(of: banners, using: &random)
        let empty = try await size(of: [])
        let bytes = try await size(of: full) - empty
        print("SQLite: a full sketch takes \(bytes / Int(banners)) bytes")
        #expect(bytes / Int(banners) <= 16_384)
    }

    private func size(of sightings: [Sighting]) async throws -> Int {
        let directory = try StoreTestDirectory()
        let store = try SQLiteStore(path: directory.file(), layout: .minute)
        try await store.merge(sightings)
        try store.close()
        return try FileManager.default.attributesOfItem(atPath: directory.file())[.size] as? Int ?? 0
    }
}
