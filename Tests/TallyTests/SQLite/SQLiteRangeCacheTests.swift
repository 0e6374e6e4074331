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
        try await other.write { try $0.execute(sql: "UPDATE minute_counts SET count = 5") }
        #expect(try await store.rows(in: range(1)).map(\.row.counts.total) == [5])
    }

    @Test("it returns what was remembered for this state alone, and never holds more than it may")
    func boundsAndStates() throws {
        let cache = SQLiteRangeCache(mostBytes: 40_000)
        let rows = (1...50).map { StoredRow(log: StoreTest.log, row: row(1, count: $0, upTo: 1)) }
        let files = SQLiteFile.Stamp()
        let state = cache.state(files)
        cache.remember(rows, in: range(1), at: state, layout: .minute)
        #expect(cache.rows(in: range(1), at: state) == rows)
        #expect(cache.rows(in: range(2), at: state) == nil)
        cache.wroteSomething()
        #expect(cache.rows(in: range(1), at: state) == nil)
        #expect(cache.rows(in: range(1), at: cache.state(files)) == nil)
        cache.remember(rows, in: range(1), at: state, layout: .minute)
        #expect(cache.rows(in: range(1), at: state) == nil, "it was read before the write")

        let next = cache.state(files)
        cache.remember(Array(repeating: rows, count: 3).flatMap { $0 }, in: range(1), at: next, layout: .minute)
        #expect(cache.rows(in: range(1), at: next) == nil, "more than a quarter of what fits")
        for banner in 1...20 as ClosedRange<Int64> {
            cache.remember(rows, in: range(banner), at: next, layout: .minute)
        }
        let kept = (1...20 as ClosedRange<Int64>).filter { cache.rows(in: range($0), at: next) != nil }
        #expect(kept.contains(20))
        #expect(kept.count * rows.count * MemoryLayout<StoredRow>.stride <= 40_000)
    }
}
