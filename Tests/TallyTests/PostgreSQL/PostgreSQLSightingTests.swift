// SPDX-License-Identifier: Apache-2.0

#if PostgreSQL

import TallyCore
import TallySimulator
import Testing

@testable import TallyBackends

@Suite("Sightings of visitors in PostgreSQL", .needsPostgreSQL)
struct PostgreSQLSightingTests {
    private func withStore(
        _ layout: Layout = .minute, _ body: (PostgreSQLTestSchema, PostgreSQLStore) async throws -> Void
    ) async throws {
        try await PostgreSQLTestSchema.use { schema in
            let store = PostgreSQLStore(url: schema.url, layout: layout)
            try await body(schema, store)
            await store.close()
        }
    }

    @Test("the view estimates as the sketch does", arguments: Layout.allCases)
    func view(_ layout: Layout) async throws {
        let seed = UInt64.random(in: 0 ... .max)
        print("PostgreSQLSightingTests: seed \(seed)")
        let sample = SampleVisitors(seed: seed)
        try await withStore(layout) { schema, store in
            try await sample.merge(into: store)
            let shown = try await schema.texts(
                "SELECT banner_id, to_char(day, 'YYYY-MM-DD') AS day, visitors FROM tally_visitors ORDER BY banner_id")
            #expect(shown == sample.expected)
        }
    }

    @Test("the view shows the last day of all")
    func lastDay() async throws {
        try await withStore { schema, store in
            let place = Sighting.Place(banner: StoreTest.banner(.max), day: .last, register: 0)
            try await store.merge([Sighting(place: place, rank: 1)])
            let day = try await schema.texts("SELECT to_char(day, 'YYYY-MM-DD') AS day FROM tally_visitors")
            #expect(day == [["9999-12-31"]])
        }
    }

    @Test("tables without it get it at the start", arguments: Layout.allCases)
    func migration(_ layout: Layout) async throws {
        try await withStore(layout) { schema, store in
            let row = StoreTest.row(1, minute: 0, count: 5, upTo: 1, layout)
            try await store.merge([row], of: StoreTest.log)
            try await schema.run(
                """
                DROP VIEW tally_visitors; DROP TABLE tally_sightings;
                UPDATE tally_meta SET value = '2' WHERE name = 'schema_version'
                """)
            let later = PostgreSQLStore(url: schema.url, layout: layout)
            try await later.merge([StoreTest.sighting(1)])
            #expect(try await later.sightings(of: nil, in: .first ... .last) == [StoreTest.sighting(1)])
            #expect(try await later.rows(in: .everything).map(\.row) == [row])
            #expect(try await schema.texts("SELECT value FROM tally_meta WHERE name = 'schema_version'") == [["3"]])
            await later.close()
        }
    }

    @Test(
        "what somebody wrote into the table is not believed",
        arguments: ["register = 1024", "register = -1", "rank = 0", "rank = 56", "banner_id = -5"])
    func damage(_ change: String) async throws {
        try await withStore { schema, store in
            try await store.merge([StoreTest.sighting(1)])
            try await schema.run("UPDATE tally_sightings SET \(change)")
            await #expect {
                try await store.sightings(of: nil, in: .first ... .last)
            } throws: { error in
                guard case StoreError.damaged(let reason) = error else { return false }
                return reason.contains(change.split(separator: " = ")[1])
            }
        }
    }

    @Test("a day before 1970 is damage")
    func damagedDay() async throws {
        try await withStore { schema, store in
            try await store.merge([StoreTest.sighting(1)])
            try await schema.run("UPDATE tally_sightings SET day = date '1969-12-31'")
            await #expect {
                try await store.daysWithSightings()
            } throws: { error in
                guard case StoreError.damaged(let reason) = error else { return false }
                return reason.contains("the day -1")
            }
        }
    }

    @Test("writers that take the same places in other orders wait for each other")
    func writersMeet() async throws {
        try await withStore { schema, store in
            let stores = [store] + (0..<2).map { _ in PostgreSQLStore(url: schema.url, layout: .minute) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (index, store) in stores.enumerated() {
                    group.addTask {
                        for round in 0..<12 {
                            let rank = UInt8(round * 3 + index + 1)
                            let places = (1...400).map { StoreTest.sighting($0, rank: rank) }
                            try await store.merge(places.shuffled())
                        }
                    }
                }
                try await group.waitForAll()
            }
            let ranks = try await store.sightings(of: nil, in: .first ... .last).map(\.rank)
            #expect(ranks == Array(repeating: 36, count: 400))
            for other in stores.dropFirst() { await other.close() }
        }
    }

    @Test("a sketch that is full takes at most 128 KiB with its index")
    func size() async throws {
        try await withStore { schema, store in
            let banners: Int64 = 50
            var random = SeededGenerator(seed: 8)
            try await store.merge(StoreTest.fullSketches(of: banners, using: &random))
            let size = try await schema.texts("SELECT pg_total_relation_size('tally_sightings') AS size")
            let bytes = try #require(size.first?.first.flatMap { Int64($0) })
            print("PostgreSQL: a full sketch takes \(bytes / banners) bytes")
            #expect(bytes / banners <= 131_072)
        }
    }
}

#endif
