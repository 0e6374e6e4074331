// SPDX-License-Identifier: Apache-2.0

import NIOCore
import TallyCore
import TallySimulator
import Testing

@testable import TallyBackends

@Suite("Sightings of visitors in ClickHouse", .timeLimit(.minutes(5)))
struct ClickHouseSightingTests {
    private static let visitors =
        "SELECT banner_id, toString(day), visitors FROM tally_visitors ORDER BY banner_id, day"

    @Test("the view estimates as the sketch does, whether parts were merged or not", arguments: ClickHouseSubject.all)
    func view(_ subject: ClickHouseSubject) async throws {
        let seed = UInt64.random(in: 0 ... .max)
        print("ClickHouseSightingTests: seed \(seed)")
        let sample = SampleVisitors(seed: seed)
        let expected = sample.expected.map { $0.joined(separator: "\t") + "\n" }.joined()
        try await subject.withStore { store in
            try await sample.merge(into: store)
            #expect(try await ask(ClickHouseSightingTests.visitors, store) == expected)
            _ = try await store.client.run(.definition("OPTIMIZE TABLE tally_sightings FINAL"))
            #expect(try await ask("SELECT count() FROM tally_sightings", store) == "\(sample.sightings.count)\n")
            #expect(try await ask(ClickHouseSightingTests.visitors, store) == expected)
        }
    }

    @Test("the view shows days after 2105 as its last one", arguments: ClickHouseTestServer.allCases)
    func viewOfTheFuture(_ server: ClickHouseTestServer) async throws {
        try await ClickHouseSubject(server: server, layout: .minute).withStore { store in
            for day in [1, 49_672, 49_673, Int64(Day.last.sinceEpoch)] {
                let place = Sighting.Place(banner: StoreTest.banner(1), day: Day(sinceEpoch: day)!, register: 5)
                try await store.merge([Sighting(place: place, rank: 1)])
            }
            let last = "1\t2105-12-31\t1\n"
            #expect(try await ask(ClickHouseSightingTests.visitors, store) == "1\t1970-01-02\t1\n" + last + last + last)
        }
    }

    @Test("a database without the table gets it before the first statement", arguments: ClickHouseSubject.all)
    func migration(_ subject: ClickHouseSubject) async throws {
        try await subject.server.withDatabase { url in
            let row = StoreTest.row(1, minute: 0, count: 5, upTo: 1, subject.layout)
            try await subject.withStore(at: url) { store in
                for statement in try await store.missingMigrations().prefix(while: { !$0.contains("tally_sightings") })
                {
                    _ = try await store.client.run(.definition(statement))
                }
                let description = try await ClickHouseSchema.describe(store.client)
                #expect(description.version == 2)
                let counts = ClickHouseStatement.insert(
                    into: "tally_counts", columns: store.table.columns,
                    rows: store.table.encode([row], of: StoreTest.log))
                _ = try await store.client.run(counts)
            }
            try await subject.withStore(at: url) { store in
                try await store.merge([StoreTest.sighting(1)])
                #expect(try await store.sightings(of: nil, in: .first ... .last) == [StoreTest.sighting(1)])
                #expect(try await store.rows(in: .everything).map(\.row) == [row])
                #expect(try await store.missingMigrations().isEmpty)
            }
        }
    }

    @Test("a flush is one block for each 10,000 sightings", arguments: ClickHouseTestServer.allCases)
    func blocks(_ server: ClickHouseTestServer) async throws {
        try await ClickHouseSubject(server: server, layout: .minute).withStore { store in
            try await store.merge((1...25_000).map { StoreTest.sighting($0) })
            let sql = "SELECT max(max_block_number) - min(min_block_number) + 1 FROM system.parts"
            let blocks = try await ask(
                "\(sql) WHERE database = '\(store.client.url.database)' AND table = 'tally_sightings'", store)
            #expect(blocks == "3\n")
        }
    }

    @Test(
        "what is behind a horizon is not seen, and goes a partition at a time", arguments: ClickHouseTestServer.allCases
    )
    func outdatedPartitions(_ server: ClickHouseTestServer) async throws {
        try await server.withDatabase { url in
            let store = ClickHouseStore(url, layout: .minute, settling: .zero)
            // Partitions begin at multiples of 30 days.
            let first = Int64(650 * 30)
            let days = [first - 1, first, first + 1, first + 31].map { Day(sinceEpoch: $0)! }
            let stored = days.map { Sighting(place: .init(banner: StoreTest.banner(1), day: $0, register: 5), rank: 3) }
            try await store.merge(stored)
            let partitions = """
                SELECT arraySort(groupUniqArray(partition)) FROM system.parts
                WHERE active AND database = '\(url.database)' AND table = 'tally_sightings'
                """
            #expect(try await ask(partitions, store) == "['649','650','651']\n")
            let horizon = Minute(sinceEpoch: (first + 1) * Int64(Day.minutes) + 120)!
            try await store.expire(before: Horizon(collapsed: horizon, dropped: horizon), of: StoreTest.log)
            #expect(try await ask(partitions, store) == "['650','651']\n")
            #expect(try await Set(store.sightings(of: nil, in: .first ... .last)) == Set(stored.suffix(2)))
            #expect(try await store.daysWithSightings() == Array(days.suffix(2)))
            #expect(try await ask("SELECT count() FROM tally_visitors", store) == "2\n", "the view knows of it")
            try await store.close()
        }
    }

    @Test(
        "what tally can't have written is damage", arguments: ClickHouseTestServer.allCases,
        ["0, 20000, 1, 1", "1, 20000, 1024, 1", "1, 20000, 1, 0", "1, 20000, 1, 56"])
    func damage(_ server: ClickHouseTestServer, _ values: String) async throws {
        try await ClickHouseSubject(server: server, layout: .minute).withStore { store in
            try await store.prepare()
            _ = try await store.client.run(.definition("INSERT INTO tally_sightings VALUES (\(values))"))
            let error = await #expect(throws: StoreError.self) {
                try await store.sightings(of: nil, in: .first ... .last)
            }
            #expect(error?.description.contains("\(store.client.url) is damaged: ") == true)
        }
    }

    @Test("a day after 9999 is damage", arguments: ClickHouseTestServer.allCases)
    func damagedDay(_ server: ClickHouseTestServer) async throws {
        try await ClickHouseSubject(server: server, layout: .minute).withStore { store in
            try await store.prepare()
            _ = try await store.client.run(.definition("INSERT INTO tally_sightings VALUES (1, 2932897, 1, 1)"))
            let error = await #expect(throws: StoreError.self) { try await store.daysWithSightings() }
            #expect(error?.description.contains("the day 2932897") == true)
        }
    }

    @Test("a sketch that is full takes at most 16 KiB", arguments: ClickHouseTestServer.allCases)
    func size(_ server: ClickHouseTestServer) async throws {
        try await ClickHouseSubject(server: server, layout: .minute).withStore { store in
            let banners: Int64 = 50
            var random = SeededGenerator(seed: 8)
            try await store.merge(StoreTest.fullSketches(of: banners, using: &random))
            _ = try await store.client.run(.definition("OPTIMIZE TABLE tally_sightings FINAL"))
            let sql = """
                SELECT sum(bytes) FROM system.parts
                WHERE active AND database = '\(store.client.url.database)' AND table = 'tally_sightings'
                """
            let field = server == .old ? sql : sql.replacing("sum(bytes)", with: "sum(bytes_on_disk)")
            let bytes = try #require(Int64(try await ask(field, store).trimmingPrefix(" ").split(separator: "\n")[0]))
            print("\(server.testDescription): a full sketch takes \(bytes / banners) bytes")
            #expect(bytes / banners <= 16_384)
        }
    }

    private func ask(_ sql: String, _ store: ClickHouseStore) async throws -> String {
        String(buffer: try await store.client.run(.definition(sql)))
    }
}
