// SPDX-License-Identifier: Apache-2.0

import TallyCore
import Testing

/// Ranges that hold more than one answer may be made of.
extension CountStoreSuite {
    static let promisesOfRanges = [
        Promise("a range with more rows than the limit is refused") { try await $0.aLimitOfRowsIsKept() },
        Promise("a range of ids holds the banners with these ids") { try await $0.aRangeOfIDsIsKept() },
    ]

    func aLimitOfRowsIsKept() async throws {
        let stored =
            [0, 60, 120].map { row(1, minute: $0, count: 1, upTo: 1) } + [row(2, minute: 0, count: 1, upTo: 1)]
        try await store.merge(stored, of: StoreTest.log)
        #expect(try await store.rows(in: .everything, limit: 4).count == 4)
        for range in [
            RowRange.everything, RowRange(banners: [BannerID(1)!, BannerID(2)!], minutes: .first ... .last),
        ] {
            for limit in [1, 3] {
                await #expect(throws: StoreError.tooManyRows(limit: limit)) {
                    try await store.rows(in: range, limit: limit)
                }
            }
        }
        // Also when the same range was just read.
        #expect(try await store.rows(in: .everything, limit: 4).count == 4)
        let one = RowRange(banners: [BannerID(2)!], minutes: .first ... .last)
        #expect(try await store.rows(in: one, limit: 1) == [StoredRow(log: StoreTest.log, row: stored[3])])
    }

    func aRangeOfIDsIsKept() async throws {
        let stored = [1, 2, 3, .max].map { row($0, minute: 0, count: 1, upTo: 1) }
        try await store.merge(stored, of: StoreTest.log)
        let unflushed = [1, 3].map { StoredRow(log: StoreTest.log, row: row($0, minute: 0, count: 5, upTo: 2)) }
        let cases: [(ids: ClosedRange<Int64>, banners: Set<BannerID>?, found: [Int64])] = [
            (1...2, nil, [1, 2]), (2...3, nil, [2, 3]), (4 ... .max, nil, [.max]), (4...100, nil, []),
            (1 ... .max, nil, [1, 2, 3, .max]), (2...3, [BannerID(1)!, BannerID(3)!], [3]),
        ]
        for one in cases {
            var range = RowRange(banners: one.banners, minutes: .first ... .last)
            range.ids = BannerID(one.ids.lowerBound)!...BannerID(one.ids.upperBound)!
            let banners = try await store.rows(in: range).map(\.row.key.banner.value).sorted()
            #expect(banners == one.found, "\(one)")
            let newer = unflushed.filter { range.ids.contains($0.row.key.banner) }
            let totals = try await store.totals(in: range, with: newer)
            #expect(totals.map(\.banner.value).sorted() == one.found, "\(one)")
            #expect(totals.allSatisfy { $0.count == ([1, 3].contains($0.banner.value) ? 5 : 1) }, "\(one)")
        }
    }
}
