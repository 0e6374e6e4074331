// SPDX-License-Identifier: Apache-2.0

import Foundation
import TallyCore
import TallySimulator
import Testing

/// A directory of its own for a test, removed afterwards.
final class StoreTestDirectory: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "tally-store-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String = "counts.sqlite") -> String { path + "/" + name }
    var files: [String] { get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() } }
}

extension SeededGenerator {
    mutating func isTrue(oneIn count: Int) -> Bool { Int.random(in: 0..<count, using: &self) == 0 }
    mutating func number(_ range: ClosedRange<Int64>) -> Int64 { Int64.random(in: range, using: &self) }
}

/// Short ways to write what stores hold. Minutes count from 2024-12-12T10:00Z, a whole hour.
enum StoreTest {
    static let view = Kind("view")!
    static let kinds = [Kind.click, .click.invalid(.bot), .impression, view]
    static let logs = [LogID("journal-a")!, LogID("kafka:clicks/0")!, LogID("kafka:clicks/1")!]
    static let log = logs[0]

    static func banner(_ id: Int64) -> BannerID { BannerID(id)! }
    static func minute(_ number: Int64) -> Minute { Minute(unixSeconds: 1_733_997_600)!.advanced(by: number) }
    static func minutes(_ range: ClosedRange<Int64>) -> ClosedRange<Minute> {
        minute(range.lowerBound)...minute(range.upperBound)
    }

    static func key(_ id: Int64, _ kind: Kind = .click, minute number: Int64, _ layout: Layout) -> RowKey {
        RowKey(banner: banner(id), kind: kind, start: layout.rowStart(of: minute(number)))
    }

    /// A row in which one minute has a count.
    static func row(
        _ id: Int64, _ kind: Kind = .click, minute number: Int64, count: Int64, upTo: Int64, _ layout: Layout
    ) -> Row {
        let key = key(id, kind, minute: number, layout)
        var counts = RowCounts.zero(layout)
        counts[Int(minute(number).sinceEpoch - key.start.sinceEpoch)] = count
        return Row(key: key, counts: counts, upTo: LogOffset(upTo))
    }

    static func total(_ id: Int64, _ kind: Kind = .click, count: Int64, minutes range: ClosedRange<Int64>) -> Total {
        Total(banner: banner(id), kind: kind, count: count, minutes: minutes(range))
    }

    static func checkpoint(upTo: Int64) -> Checkpoint {
        Checkpoint(
            upTo: LogOffset(upTo), readFrom: LogOffset(max(1, upTo / 2)),
            timeBefore: Timestamp(milliseconds: 1_000 * upTo),
            lastMinute: upTo == 0 ? nil : minute(upTo), kinds: upTo == 0 ? [] : [.click, view, .click.invalid(.bot)],
            sequences: upTo == 0 ? [:] : [NodeID(bits: 7): SequenceRanges([1...UInt64(upTo)])!])
    }

    /// A row among few banners and hours, so that rows meet often; now and then empty, or full.
    static func randomRow(_ layout: Layout, using random: inout SeededGenerator) -> Row {
        let kind = random.number(0...Int64(kinds.count - 1))
        let key = key(random.number(1...4), kinds[Int(kind)], minute: random.number(-90...90), layout)
        let upTo = random.number(0...20)
        // By the one rule, a row is the same whenever it comes with the same offset.
        let place = (key.banner.value * 10 + kind) * 100 + upTo
        var own = SeededGenerator(seed: UInt64(place) << 32 | UInt64(key.start.sinceEpoch))
        var counts = RowCounts.zero(layout)
        for index in 0..<layout.minutesPerRow where !own.isTrue(oneIn: 4) {
            counts[index] = own.isTrue(oneIn: 20) ? .max : own.number(0...9)
        }
        return Row(key: key, counts: counts, upTo: LogOffset(upTo))
    }

    /// Several such rows, each key at most once.
    static func randomRows(_ layout: Layout, atMost most: Int64, using random: inout SeededGenerator) -> [Row] {
        var rows: [RowKey: Row] = [:]
        for _ in 0..<random.number(0...most) {
            let row = randomRow(layout, using: &random)
            rows[row.key] = row
        }
        return rows.values.sorted { $0.key < $1.key }
    }

    /// The rows, each as one of some log.
    static func unflushed(_ rows: [Row], using random: inout SeededGenerator) -> [StoredRow] {
        rows.map { StoredRow(log: logs.randomElement(using: &random)!, row: $0) }
    }

    static func randomRange(using random: inout SeededGenerator) -> RowRange {
        let banners = random.isTrue(oneIn: 2) ? nil : Set((1...3).map { _ in banner(random.number(1...5)) })
        let kinds = random.isTrue(oneIn: 2) ? nil : Set([kinds.randomElement(using: &random)!])
        if random.isTrue(oneIn: 4) { return RowRange(banners: banners, kinds: kinds, minutes: .first ... .last) }
        let first = random.number(-100...90)
        return RowRange(banners: banners, kinds: kinds, minutes: minutes(first...first + random.number(0...120)))
    }
}
