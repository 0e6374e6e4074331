// SPDX-License-Identifier: Apache-2.0

import TallySimulator
import Testing

@testable import TallyCore

struct SortedIDsTests {
    private func ids(_ values: some Sequence<Int64>) -> [BannerID] { values.map { BannerID($0)! } }

    @Test(arguments: [UInt64(1), 2, 3, 4, 5])
    func `new ids come into the order of the others`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var sorted = SortedIDs(sorted: ids([10, 20, 30]))
        var all: Set<Int64> = [10, 20, 30]
        for _ in 0..<50 {
            let id = random.number(1...500)
            if all.insert(id).inserted { sorted.insert(BannerID(id)!) }
            guard random.isTrue(oneIn: 3) else { continue }
            let found = sorted.elements(after: nil, limit: .max)
            #expect(Array(found) == ids(all.sorted()))
            let after = random.number(1...500)
            let expected = ids(all.sorted().filter { $0 > after }.prefix(7))
            let page = sorted.elements(after: BannerID(after), limit: 7)
            #expect(Array(page) == expected)
        }
    }

    @Test func `ranges hold at most so many ids, and every possible id is in one`() {
        var sorted = SortedIDs(sorted: ids([1, 2, 5, 9, .max]))
        let twos = sorted.ranges(of: 2).map { $0.lowerBound.value...$0.upperBound.value }
        #expect(twos == [1...4, 5...9_223_372_036_854_775_806, .max ... .max])
        for (values, count) in [([1, 2, 5, 9, .max], 5), ([], 1), ([1], 1)] as [([Int64], Int)] {
            var few = SortedIDs(sorted: ids(values))
            let ranges = few.ranges(of: count)
            #expect(ranges == [BannerID.lowest...BannerID.highest])
        }
    }
}
