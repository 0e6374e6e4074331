// SPDX-License-Identifier: Apache-2.0

import TallyCore
import TallySimulator
import Testing

@Suite("The minutes of stored rows")
struct MinuteCountMergingTests {
    private static let first = Minute(unixSeconds: 1_733_997_600)!
    private static let kinds = [Kind.click, .impression, Kind("a_kind_with_a_name_on_the_heap")!]

    /// Each key of a log once, in any order.
    private func rows(_ layout: Layout, using random: inout SeededGenerator) -> [StoredRow] {
        var rows: [StoredRow] = []
        for log in ["one", "two"].prefix(Int.random(in: 1...2, using: &random)) {
            for banner in 1...3 {
                for kind in Self.kinds {
                    for index in 0..<6 where Bool.random(using: &random) {
                        let start = Self.first.advanced(by: Int64(index * layout.minutesPerRow))
                        let counts = (0..<layout.minutesPerRow).map { _ in Int64.random(in: 0...3, using: &random) }
                        rows.append(
                            StoredRow(
                                log: LogID(log)!,
                                row: Row(
                                    key: RowKey(banner: BannerID(Int64(banner))!, kind: kind, start: start),
                                    counts: layout == .minute ? .minute(counts[0]) : .hour(counts),
                                    upTo: LogOffset(1))))
                    }
                }
            }
        }
        return rows
    }

    private func summedOneByOne(_ rows: [StoredRow], in range: RowRange) -> [MinuteCount] {
        var sums: [RowKey: Int64] = [:]
        for stored in rows where range.contains(stored.row.key.banner, stored.row.key.kind) {
            for (minute, count) in stored.row.minuteCounts where range.minutes.contains(minute) {
                sums[RowKey(banner: stored.row.key.banner, kind: stored.row.key.kind, start: minute), default: 0] +=
                    count
            }
        }
        return sums.sorted { $0.key < $1.key }.map {
            MinuteCount(banner: $0.key.banner, kind: $0.key.kind, minute: $0.key.start, count: $0.value)
        }
    }

    @Test(arguments: Layout.allCases)
    func `are the sums over all logs, sorted, whatever the order of the rows`(layout: Layout) {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(seed: seed)
        for round in 0..<200 {
            var rows = rows(layout, using: &random)
            if round % 2 == 0 { rows.sort { $0.row.key < $1.row.key } } else { rows.shuffle(using: &random) }
            let range = RowRange(
                banners: round % 3 == 0 ? [BannerID(1)!, BannerID(3)!] : nil,
                kinds: round % 5 == 0 ? [.impression, Self.kinds[2]] : nil,
                minutes: Self.first.advanced(by: Int64(round % 4))...Self.first.advanced(by: 200))
            let merged = MinuteCount.merge(stored: rows, unflushed: [:], in: range, layout: layout)
            #expect(merged == summedOneByOne(rows, in: range), "seed \(seed), round \(round)")
        }
    }
}
