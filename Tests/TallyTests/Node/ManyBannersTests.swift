// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Testing

@testable import TallyCore
@testable import TallyServer

/// Sums over more banners than are read at a time.
struct ManyBannersTests {
    private let store = MemoryStore(layout: .minute)
    private let log = LogID("test-log")!
    private let minute = Minute(sinceEpoch: 1_000_000)!

    /// - Parameter banners: how many there are, each with its id as count.
    private func query(_ banners: Int64, rowsLimit: Int = .max) async throws -> Query {
        let rows = (1...banners).map { id in
            Row(
                key: RowKey(banner: BannerID(id)!, kind: .click, start: minute), counts: .minute(id),
                upTo: LogOffset(1))
        }
        try await store.merge(rows, of: log)
        let registry = BannerRegistry(
            directory: BannerDirectory(banners: (1...banners).map { Banner(id: BannerID($0)!) }),
            store: MemoryBannerStore())
        return Query(
            logs: [log], sources: [Unflushed(log: log, minute: minute)], store: store, late: 60, rowsLimit: rowsLimit,
            idRanges: { registry.idRanges(of: $0) })
    }

    /// Knows of one more click of banner 3, and one of a banner that the directory does not know.
    private struct Unflushed: UnflushedSource {
        let log: LogID
        let minute: Minute

        func unflushed(in range: RowRange) async -> UnflushedAnswer {
            let rows = [(Int64(3), Int64(4)), (1_000_000, 7)].map { id, count in
                UnflushedRow(
                    key: RowKey(banner: BannerID(id)!, kind: .click, start: minute),
                    content: .sum(.minute(count), upTo: LogOffset(2)))
            }
            return UnflushedAnswer(views: [
                LogView(log: log, partition: 0, position: LogOffset(2), time: .epoch, rows: rows)
            ])
        }
    }

    @Test func `totals of all banners come in their order, each once`() async throws {
        let query = try await query(41_000)
        let calls = Mutex(0)
        var totals: [Total] = []
        let range = RowRange(minutes: .first ... .last)
        _ = try await query.forEachTotals(in: range) { some in
            calls.withLock { $0 += 1 }
            totals += some
        }
        #expect(calls.withLock { $0 } == 3)
        #expect(totals.map(\.banner.value) == Array(1...41_000) + [1_000_000])
        let counts = Dictionary(uniqueKeysWithValues: totals.map { ($0.banner.value, $0.count) })
        #expect([1, 2, 3, 41_000, 1_000_000].map { counts[$0] } == [1, 2, 4, 41_000, 7])
    }

    @Test func `sums of all banners by the minute hold what is stored and what is not flushed`() async throws {
        let query = try await query(12_000)
        let sums = try await query.sums(in: .first ... .last)
        let expected: Int64 = 12_000 * 12_001 / 2 + 1 + 7
        #expect(sums == [RecentSums.Key(kind: .click, minute: minute): expected])
    }

    @Test func `an answer that is made of too many rows is refused, sums are not`() async throws {
        let query = try await query(1_000, rowsLimit: 500)
        await #expect(throws: StoreError.tooManyRows(limit: 500)) {
            try await query.minuteCounts(in: .everything)
        }
        let few = RowRange(banners: [BannerID(3)!, BannerID(4)!], minutes: .first ... .last)
        #expect(try await query.minuteCounts(in: few).value.map(\.count) == [4, 4])
        #expect(try await query.totals(in: .everything).value.count == 1_001)
    }
}
