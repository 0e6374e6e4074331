// SPDX-License-Identifier: Apache-2.0

import GRDB
import TallyCore
import Testing

@testable import TallyBackends

@Suite("SQLiteRangeCache")
struct SQLiteRangeCacheTests: SQLiteStoreTesting {
    let directory: StoreTestDirectory

    init() throws { directory = try StoreTestDirectory() }

    private func range(_ banner: Int64) -> RowRange {
        RowRange(banners: [StoreTest.banner(banner)], minutes: .first ... .last)
    }

    private func row(_ banner: Int64, count: Int64, upTo: Int64) -> TallyCore.Row {
        StoreTest.row(banner, minute: 7, count: count, upTo: upTo, .minute)
    }

    @Test("what was merged is in the next answer, whatever was asked before")
    func writesAreSeen() async throws {
        let store = try open()
        for round in 1...20 as ClosedRange<Int64> {
            for banner in 1...3 as ClosedRange<Int64> {
                try await store.merge([row(banner, count: round, upTo: round)], of: StoreTest.log)
                for asked in 1...3 as ClosedRange<Int64> {
                    let rows = try await store.rows(in: range(asked)).map(\.row)
                    let expected = asked <= banner ? round : round - 1
                    #expect(rows == (expected == 0 ? [] : [row(asked, count: expected, upTo: expected)]))
                    #expect(
                        try await store.rows(in: range(asked)).map(\.row) == rows, "the second time it is remembered")
                }
            }
        }
    }

    @Test("a reader never goes back behind a write that had returned, while others write")
    func readersDontGoBack() async throws {
        let store = try open()
        try await store.merge([row(1, count: 1, upTo: 1)], of: StoreTest.log)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    var last: Int64 = 0
                    while last < 200 {
                        let found = try await store.rows(in: range(1))[0].row.upTo.value
                        #expect(found >= last)
                        last = max(last, found)
                        await Task.yield()  // What is remembered is returned at once: the writer needs its turn.
                    }
                }
            }
            for round in 2...200 as ClosedRange<Int64> {
                try await store.merge([row(1, count: round, upTo: round)], of: StoreTest.log)
                #expect(try await store.rows(in: range(1))[0].row.upTo.value == round)
            }
            try await group.waitForAll()
        }
    }

    @Test("what another process writes is seen, too")
    func foreignWritesAreSeen() async throws {
        let store = try open()
        try await store.merge([row(1, count: 1, upTo: 1)], of: StoreTest.log)
        #expect(try await store.rows(in: range(1)).map(\.row.counts.total) == [1])
        let other = try DatabaseQueue(path: path)
        // As fast as it can: the times of the files don't tell one such write from the next.
        for count in Int64(5)...60 {
            try await other.write {
                try $0.execute(sql: "UPDATE minute_counts SET count = ?", arguments: [count])
            }
            #expect(try await store.rows(in: range(1)).map(\.row.counts.total) == [count])
        }
    }

    @Test("it returns what was remembered for this version alone, and never holds more than it may")
    func boundsAndStates() throws {
        let cache = SQLiteRangeCache(mostBytes: 40_000)
        let rows = (1...50).map { StoredRow(log: StoreTest.log, row: row(1, count: $0, upTo: 1)) }
        cache.remember(rows, in: range(1), at: 1, layout: .minute)
        #expect(cache.rows(in: range(1), at: 1) == rows)
        #expect(cache.rows(in: range(2), at: 1) == nil)
        #expect(cache.rows(in: range(1), at: 2) == nil, "something was written")

        cache.remember(Array(repeating: rows, count: 3).flatMap { $0 }, in: range(1), at: 2, layout: .minute)
        #expect(cache.rows(in: range(1), at: 2) == nil, "more than a quarter of what fits")
        for banner in 1...20 as ClosedRange<Int64> {
            cache.remember(rows, in: range(banner), at: 2, layout: .minute)
        }
        let kept = (1...20 as ClosedRange<Int64>).filter { cache.rows(in: range($0), at: 2) != nil }
        #expect(kept.contains(20))
        #expect(kept.count * rows.count * MemoryLayout<StoredRow>.stride <= 40_000)
    }
}
