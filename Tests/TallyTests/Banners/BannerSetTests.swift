// SPDX-License-Identifier: Apache-2.0

import TallySimulator
import Testing

@testable import TallyCore

@Suite struct BannerSetTests {
    @Test("It holds what a plain set holds", arguments: 1...20 as ClosedRange<UInt64>)
    func likeASet(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var set = BannerSet()
        var reference: Set<BannerID> = []
        for _ in 0..<500 {
            let spread = [Int64(200), 100_000, .max].randomElement(using: &generator)!
            let id = BannerID(Int64.random(in: 1...spread, using: &generator))!
            #expect(set.contains(id) == reference.contains(id), "seed \(seed)")
            let isNew = set.insert(id)
            #expect(isNew == reference.insert(id).inserted, "seed \(seed)")
        }
        #expect(set.count == reference.count, "seed \(seed)")
        #expect(set.sorted == reference.sorted(), "seed \(seed)")
    }

    @Test func theEdgesOfWordsAndOfAllIDs() {
        var set = BannerSet()
        let edges = [1, 62, 63, 64, 65, 127, 128, Int64.max - 1, Int64.max].map { BannerID($0)! }
        for id in edges {
            let isNew = set.insert(id)
            #expect(isNew)
        }
        #expect(set.sorted == edges)
        #expect(!set.contains(BannerID(2)!))
    }
}
