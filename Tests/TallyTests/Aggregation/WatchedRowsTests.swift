// SPDX-License-Identifier: Apache-2.0

import TallySimulator
import Testing

@testable import TallyCore

@Suite("What is told of the banners that are watched")
struct WatchedRowsTests {
    /// As it was before somebody thought of looking up less: all rows are looked through.
    private func plain(_ aggregator: Aggregator, after offset: LogOffset, of banners: Set<BannerID>) -> [Row] {
        aggregator.rows.entries.indices.compactMap { index in
            let entry = aggregator.rows.entries[index]
            let key = aggregator.rowKey(of: entry.key)
            guard entry.upTo > offset.value, !entry.flags.contains(.unresolved), banners.contains(key.banner) else {
                return nil
            }
            return Row(key: key, counts: aggregator.rows.counts(ofRow: index), upTo: LogOffset(entry.upTo))
        }
    }

    @Test("is what a look through all rows finds, whatever comes and goes", arguments: 0..<40 as Range<UInt64>)
    func likeAllRows(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let log = RandomLog(chunks: 80, using: &generator)
        var aggregator = Aggregator(layout: Layout.allCases.randomElement(using: &generator)!, checkpoint: .start)
        for entry in log.entries {
            _ = aggregator.apply(entry)
            let keys = aggregator.takeKeysToLoad(most: .max)
            aggregator.resolve(keys, with: [])
            if generator.chance(20), let flush = aggregator.beginFlush() { aggregator.finishFlush(flush) }
            let banners = Set((1...5).filter { _ in generator.chance(40) }.compactMap { BannerID($0) })
            let after = LogOffset(Int64.random(in: 0...entry.offset.value, using: &generator))
            let expected = plain(aggregator, after: after, of: banners)
            let changes = aggregator.changes(after: after, of: banners)
            #expect(changes.rows == expected, "seed \(seed)")
        }
    }
}
