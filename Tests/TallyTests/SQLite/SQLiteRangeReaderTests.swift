// SPDX-License-Identifier: Apache-2.0

import GRDB
import TallyCore
import Testing

@testable import TallyBackends

@Suite("Ranges of an SQLite store")
struct SQLiteRangeReaderTests: SQLiteStoreTesting {
    let directory: StoreTestDirectory

    init() throws { directory = try StoreTestDirectory() }

    @Test("each way to a range uses the primary key")
    func rangesUseThePrimaryKey() async throws {
        let store = try open()
        let plans = try await store.read { database in
            try [
                "SELECT 1 FROM minute_counts WHERE banner_id = 1 AND kind = 1 AND minute_timestamp BETWEEN 0 AND 9",
                "SELECT banner_id, kind FROM minute_counts WHERE (banner_id, kind) > (1, 1) ORDER BY banner_id, kind LIMIT 1",
                "SELECT count FROM minute_counts WHERE banner_id = 1 AND kind = 1 AND minute_timestamp = 0 AND log = 1",
            ].map { try GRDB.Row.fetchAll(database, sql: "EXPLAIN QUERY PLAN " + $0).map { $0["detail"] as String } }
        }
        for plan in plans {
            #expect(plan.count == 1 && plan[0].hasPrefix("SEARCH minute_counts USING PRIMARY KEY"), "\(plan)")
        }
    }

    @Test("many series with few rows each are found as well as few with many")
    func manySeriesAreFound() async throws {
        let store = try open()
        let reference = MemoryStore(layout: .minute)
        let rows = (1...6_000).map { row($0, minute: $0 % 3, count: $0, upTo: 1) }
        try await store.merge(rows, of: StoreTest.log)
        try await reference.merge(rows, of: StoreTest.log)
        for banners in [nil, Set((1...5_000).map(StoreTest.banner)), [StoreTest.banner(7)]] {
            let range = RowRange(banners: banners, minutes: StoreTest.minutes(1...1))
            #expect(try await Set(store.rows(in: range)) == Set(reference.rows(in: range)))
            let totals = try await store.totals(in: range, with: [])
            #expect(try await Set(totals) == Set(reference.totals(in: range, with: [])))
        }
    }
}
