// SPDX-License-Identifier: Apache-2.0

import TallyCore
import Testing

@testable import TallyServer

struct RecentSumsTests {
    private static let now = Minute(sinceEpoch: 29_000_000)!

    private func addition(_ count: Int64, minutesAgo: Int64 = 0, kind: Kind = .click) -> MinuteAddition {
        MinuteAddition(kind: kind, minute: Self.now.advanced(by: -minutesAgo), count: count)
    }

    private func slice(_ count: Int64, from: Int64, to: Int64?, upTo: Int64) -> RecentSums.Slice {
        let first = Self.now.advanced(by: -from)
        let last = to.map { Self.now.advanced(by: -$0) } ?? .last
        return RecentSums.Slice(
            minutes: first...last, upTo: LogOffset(upTo), counts: [.init(kind: .click, minute: first): count])
    }

    private func counts(_ sums: RecentSums, after offset: Int64 = 0) -> [Int64]? {
        sums.changes(after: LogOffset(offset))?.map(\.sum.count)
    }

    @Test func `nobody pays before somebody looks`() {
        var sums = RecentSums()
        sums.add([addition(1)], at: LogOffset(1))
        #expect(!sums.isLoaded && !sums.isWanted)
        #expect(counts(sums) == nil)
    }

    @Test func `what comes while the past is read counts once`() {
        var sums = RecentSums()
        sums.begin()
        sums.add([addition(1, minutesAgo: 60)], at: LogOffset(5))
        sums.add([addition(10, minutesAgo: 60), addition(100)], at: LogOffset(6))
        sums.add([addition(1_000)], at: LogOffset(7))
        // The older slice was read when offset 5 was counted, the newer one when 6 was.
        sums.finish([slice(7, from: 60, to: 1, upTo: 5), slice(300, from: 0, to: nil, upTo: 6)])
        #expect(counts(sums) == [17, 1_300])
        #expect(counts(sums, after: 6) == [1_300])
        sums.add([addition(1)], at: LogOffset(8))
        #expect(counts(sums, after: 7) == [1_301])
    }

    @Test func `a reading that failed is begun anew`() {
        var sums = RecentSums()
        sums.begin()
        sums.add([addition(1)], at: LogOffset(1))
        sums.fail()
        sums.begin()
        sums.finish([slice(1, from: 60, to: nil, upTo: 1)])
        #expect(counts(sums) == [1])
    }

    @Test func `minutes before the first known one are left out, since their sum is not known`() {
        var sums = RecentSums()
        sums.begin()
        sums.finish([slice(1, from: 60, to: nil, upTo: 1)])
        sums.add([addition(5, minutesAgo: 61)], at: LogOffset(2))
        #expect(counts(sums) == [1])
    }

    @Test func `old minutes are forgotten, and the last hour never is`() {
        var sums = RecentSums()
        sums.begin()
        sums.finish([slice(0, from: 60, to: nil, upTo: 0)])
        for minute in 0..<1_000 as Range<Int64> {
            sums.add([addition(1, minutesAgo: -minute)], at: LogOffset(minute + 1))
            let known = counts(sums)?.count ?? 0
            #expect(known <= 2 * Int(RecentSums.keptMinutes) + 2)
            #expect(known >= min(Int(minute), Int(RecentSums.keptMinutes)))
        }
    }

    @Test func `a chunk adds up by kind and minute, whatever the order of its banners`() {
        var aggregator = Aggregator(layout: .minute, checkpoint: .start)
        var builder = ChunkBuilder()
        for banner in 1...50 as ClosedRange<Int64> {
            for (kind, ago, count) in [(Kind.click, 0, 1), (.impression, 0, 3), (.click, 5, 2), (.click, 500, 9)]
                as [(Kind, Int64, Int64)]
            {
                let isAdded = builder.add(
                    CountedEvent(
                        banner: BannerID(banner)!, kind: kind, minute: Self.now.advanced(by: -ago), count: count))
                #expect(isAdded)
            }
        }
        let time = Timestamp(milliseconds: Self.now.unixSeconds * 1_000)
        let chunk = builder.chunk(node: NodeID(bits: 1), sequence: 1, time: time)
        let applied = aggregator.apply(LogEntry(offset: LogOffset(1), chunk: chunk), sumsMinutes: true)
        let sorted = applied.minutes.sorted { ($0.minute, $0.kind) < ($1.minute, $1.kind) }
        #expect(
            sorted == [
                addition(100, minutesAgo: 5), addition(50), addition(150, kind: .impression),
            ])
        let again = aggregator.apply(LogEntry(offset: LogOffset(2), chunk: chunk), sumsMinutes: true)
        #expect(again.minutes.isEmpty, "a chunk that was counted before adds nothing")
    }
}
