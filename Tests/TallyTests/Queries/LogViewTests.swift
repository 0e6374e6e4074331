// SPDX-License-Identifier: Apache-2.0

import TallySimulator
import Testing

@testable import TallyCore

@Suite("What servers that count tell those that answer")
struct LogViewTests {
    private static let log = LogID("kafka:clicks/3")!

    private func view(
        _ position: Int64, behind: String? = nil, log: LogID = log, rows: [UnflushedRow] = []
    ) -> LogView {
        LogView(
            log: log, partition: 3, position: LogOffset(position), time: Timestamp(milliseconds: 1_733_997_600_000),
            behind: behind, rows: rows)
    }

    @Test("of two servers that count one log the further is right, and of two alike the one that is at the end")
    func furthest() {
        let other = LogID("kafka:clicks/4")!
        let views = [view(5, behind: "asleep"), view(7, behind: "asleep"), view(7), view(6), view(1, log: other)]
        #expect(LogView.furthest(views) == [Self.log: view(7), other: view(1, log: other)])
        #expect(LogView.furthest(views.reversed()) == [Self.log: view(7), other: view(1, log: other)])
    }

    @Test("any view is the same behind its bytes, and cut anywhere it is none", arguments: Layout.allCases)
    func coding(layout: Layout) throws {
        let seed = UInt64.random(in: 0 ... .max)
        print("LogViewTests: seed \(seed)")
        var random = SeededGenerator(seed: seed)
        for round in 0..<50 {
            let views = (0..<3).map { _ in randomView(layout, using: &random) }
            let bytes = LogView.encode(views, layout: layout)
            #expect(try LogView.decode(bytes, layout: layout) == views, "seed \(seed)")
            guard round < 5 else { continue }
            for length in bytes.indices {
                #expect(throws: ByteReadingError.self) {
                    try LogView.decode(Array(bytes.prefix(length)), layout: layout)
                }
            }
            #expect(throws: ByteReadingError.tooMany) { try LogView.decode(bytes + [0], layout: layout) }
        }
    }

    @Test("bytes that were changed never stop the process", arguments: Layout.allCases)
    func damage(layout: Layout) {
        let seed = UInt64.random(in: 0 ... .max)
        print("LogViewTests: seed \(seed)")
        var random = SeededGenerator(seed: seed)
        var refused = 0
        for _ in 0..<500 {
            var bytes = LogView.encode([randomView(layout, using: &random)], layout: layout)
            for _ in 0..<3 {
                bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: .min ... .max, using: &random)
            }
            do { _ = try LogView.decode(bytes, layout: layout) } catch { refused += 1 }
        }
        #expect(refused > 0, "seed \(seed)")
    }

    @Test("rows of another layout are refused by name")
    func otherLayout() {
        let bytes = LogView.encode([view(1)], layout: .minute)
        #expect(throws: ByteReadingError.otherLayout) { try LogView.decode(bytes, layout: .hour) }
    }

    @Test("a question is the same behind its bytes")
    func questions() throws {
        let minutes = Minute(sinceEpoch: 100)!...Minute(sinceEpoch: 28_900_000)!
        let ranges = [
            RowRange.everything, RowRange(banners: [], kinds: [], minutes: minutes),
            RowRange(banners: [BannerID(7)!, BannerID(.max)!], minutes: minutes),
            RowRange(kinds: [.click, Kind("view")!], minutes: minutes),
        ]
        for range in ranges {
            let bytes = range.encoded()
            #expect(try RowRange(decoding: bytes) == range)
            for length in bytes.indices {
                #expect(throws: ByteReadingError.self) { try RowRange(decoding: Array(bytes.prefix(length))) }
            }
        }
        #expect(throws: ByteReadingError.unknownVersion) { try RowRange(decoding: [2, 0, 0, 0, 0]) }
    }

    private func randomView(_ layout: Layout, using random: inout SeededGenerator) -> LogView {
        let rows = (0..<Int.random(in: 0...5, using: &random)).map { _ in
            UnflushedRow(
                key: StoreTest.randomRow(layout, using: &random).key, content: randomContent(layout, using: &random))
        }
        return view(
            Int64.random(in: 0...Int64.max, using: &random), behind: random.chance(50) ? "reads on — später" : nil,
            rows: rows)
    }

    private func randomContent(_ layout: Layout, using random: inout SeededGenerator) -> UnflushedRow.Content {
        let row = StoreTest.randomRow(layout, using: &random)
        if random.chance(50) { return .sum(row.counts, upTo: row.upTo) }
        return .additions(
            (1...3).map { offset in
                UnflushedRow.Addition(
                    offset: LogOffset(offset), minute: Int.random(in: 0..<layout.minutesPerRow, using: &random),
                    count: Int64.random(in: 1...Int64.max, using: &random))
            })
    }
}

@Suite("How complete an answer is")
struct FreshnessTests {
    private let logs = [LogID("kafka:clicks/0")!, LogID("kafka:clicks/1")!]

    private func view(_ partition: Int, minute: Int64, behind: String? = nil) -> LogView {
        LogView(
            log: logs[partition], partition: partition, position: LogOffset(1),
            time: Timestamp(milliseconds: minute * 60_000), behind: behind, rows: [])
    }

    private func freshness(_ views: [LogView], stored: [LogID: Checkpoint] = [:]) -> Freshness {
        Freshness(of: logs, LogView.furthest(views), stored: stored, late: 10, missing: "nobody counts it")
    }

    @Test("the watermark is the lowest of all partitions")
    func lowest() {
        let both = freshness([view(0, minute: 100), view(1, minute: 90)])
        #expect(both == Freshness(watermark: Minute(sinceEpoch: 80)!))
    }

    @Test("of a partition that nobody counts what lies before its last checkpoint is final, and nothing without one")
    func unknown() {
        var checkpoint = Checkpoint.start
        checkpoint.timeBefore = Timestamp(milliseconds: 50 * 60_000)
        let views = [view(0, minute: 100)]
        let behind = [Freshness.Behind(partition: 1, reason: "nobody counts it")]
        #expect(Freshness.logsBehind(logs, LogView.furthest(views)) == [logs[1]])
        #expect(
            freshness(views, stored: [logs[1]: checkpoint])
                == Freshness(watermark: Minute(sinceEpoch: 40)!, behind: behind))
        #expect(freshness(views) == Freshness(watermark: .first, behind: behind))
    }

    @Test("one that reads on says why, and what it knows is final as far as it knows it or the store does")
    func behind() {
        let views = [view(0, minute: 100), view(1, minute: 30, behind: "it is being read")]
        var checkpoint = Checkpoint.start
        #expect(
            freshness(views, stored: [logs[1]: checkpoint])
                == Freshness(
                    watermark: Minute(sinceEpoch: 20)!,
                    behind: [Freshness.Behind(partition: 1, reason: "it is being read")]))
        checkpoint.timeBefore = Timestamp(milliseconds: 50 * 60_000)
        #expect(freshness(views, stored: [logs[1]: checkpoint]).watermark == Minute(sinceEpoch: 40)!)
    }
}
