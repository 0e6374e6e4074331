// SPDX-License-Identifier: Apache-2.0

import TallyCore
import TallySimulator
import Testing

@testable import TallyServer

struct HighestCountsTests {
    @Test(arguments: [UInt64(1), 2, 3, 4, 5, 6, 7, 8])
    func `the highest are those of the sorted whole`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let limit = Int(random.number(1...20))
        var highest = HighestCounts(limit: limit)
        var all: [HighestCounts.Entry] = []
        for banner in 1...Int64(200) {
            // Few values, so that many are equal.
            let count = random.number(-1...10)
            highest.add(count, of: BannerID(banner)!)
            if count > 0 { all.append(.init(banner: BannerID(banner)!, count: count)) }
        }
        let expected = all.sorted { ($1.count, $0.banner) < ($0.count, $1.banner) }.prefix(limit)
        #expect(Array(highest.sorted) == Array(expected), "seed \(seed)")
    }

    @Test func `nothing was counted`() {
        var highest = HighestCounts(limit: 3)
        highest.add(0, of: BannerID(1)!)
        #expect(highest.sorted.isEmpty)
    }
}
