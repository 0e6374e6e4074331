// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOCore
import TallyCore
import TallySimulator
import Testing

@testable import TallyBackends

private let areMeasurementsWanted = ProcessInfo.processInfo.environment["TALLY_MEASURE"] != nil

/// What a row for each minute and a row for each hour cost in each store. Not a test:
///
///     TALLY_MEASURE=1 TALLY_TEST_CLICKHOUSE=… TALLY_TEST_CLICKHOUSE_MODERN=… swift test --filter DesignMeasurements
@Suite("Measurements of designs", .serialized, .enabled(if: areMeasurementsWanted, "TALLY_MEASURE is not set"))
struct DesignMeasurements {
    /// 500 clicks a second, each on any of the banners.
    struct Load: Sendable, CustomTestStringConvertible {
        let banners: Int64
        let minutes: Int64

        static let all = [Load(banners: 100, minutes: 1_440), Load(banners: 1_000_000, minutes: 60)]
        static let clicksPerMinute = 30_000

        var testDescription: String { "\(banners) banners, \(minutes) minutes" }
    }

    @Test("what is written and kept", arguments: CopySubject.all, Load.all)
    func cost(_ subject: CopySubject, _ load: Load) async throws {
        let directory = try StoreTestDirectory()
        guard case .clickHouse(let server) = subject.kind else {
            guard subject.kind == .sqlite else { return }
            let store = try SQLiteStore(path: directory.file(), layout: subject.layout)
            let written = try await write(load, to: store)
            try store.close()
            let size = try FileManager.default.attributesOfItem(atPath: directory.file())[.size] as? Int ?? 0
            print("\(subject.testDescription), \(load.testDescription): \(written), \(size) bytes")
            return
        }
        try await ClickHouseSubject(server: server, layout: subject.layout).withStore { store in
            let written = try await write(load, to: store)
            let sizes = """
                SELECT sum(bytes_on_disk), count() FROM system.parts
                WHERE active AND table = 'tally_counts' AND database = '\(store.client.url.database)'
                """
            let before = try await ask(sizes, store)
            _ = try await store.client.run(.definition("OPTIMIZE TABLE tally_counts FINAL"), within: .seconds(300))
            let after = try await ask(sizes, store)
            print(
                "\(subject.testDescription), \(load.testDescription): \(written), bytes and parts as written \(before), merged \(after)"
            )
        }
    }

    @Test("24 hours of one banner of 100 over 30 days", arguments: CopySubject.all)
    func readADay(_ subject: CopySubject) async throws {
        try await subject.withStore { store in
            for day in Int64(0)..<30 {
                for banners in [1...50, 51...100] as [ClosedRange<Int64>] {
                    try await store.merge(
                        banners.flatMap { dayOfRows($0, day: day, subject.layout) }, of: StoreTest.log)
                }
            }
            let range = RowRange(banners: [StoreTest.banner(42)], minutes: StoreTest.minutes(14_400...15_839))
            let own = try await median { _ = try await store.rows(in: range) }
            var line = "\(subject.testDescription), a day of one banner: \(own) ms"
            if let store = store as? ClickHouseStore {
                let table = ClickHouseCountTable(layout: subject.layout)
                let sql =
                    "SELECT \(table.columns) FROM tally_counts FINAL WHERE \(ClickHouseCondition(range, of: table).sql)"
                let plain = try await median { _ = try await store.client.run(.select(sql)) }
                line += ", the same SQL over HTTP \(plain) ms"
            }
            print(line)
        }
    }

    private func dayOfRows(_ banner: Int64, day: Int64, _ layout: Layout) -> [Row] {
        let minutes = stride(from: day * 1_440, to: day * 1_440 + 1_440, by: layout.minutesPerRow)
        return minutes.map { minute in
            var row = StoreTest.row(banner, minute: minute, count: 1, upTo: minute + 50_000, layout)
            for index in 0..<layout.minutesPerRow { row.counts[index] = (minute + Int64(index)) % 7 + 1 }
            return row
        }
    }

    private func median(_ body: () async throws -> Void) async throws -> Double {
        var times: [Double] = []
        for _ in 0..<100 {
            let started = ContinuousClock.now
            try await body()
            times.append((ContinuousClock.now - started) / .milliseconds(1))
        }
        return (times.sorted()[50] * 100).rounded() / 100
    }

    private func ask(_ sql: String, _ store: ClickHouseStore) async throws -> String {
        String(buffer: try await store.client.run(.definition(sql))).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private struct Written: CustomStringConvertible {
        var flushes = 0
        var rows = 0
        var statements = 0
        var seconds = 0.0

        var description: String {
            "per minute \(Double(statements) / Double(flushes)) INSERTs with \(rows / flushes) rows, "
                + "\(Int(seconds / Double(flushes) * 1_000)) ms in the store"
        }
    }

    /// A flush every minute, as the server does it: the rows that changed, then the checkpoint.
    private func write(_ load: Load, to store: any Store) async throws -> Written {
        var random = SeededGenerator(seed: 8)
        var written = Written()
        var hour: [Int64: RowCounts] = [:]
        for minute in 0..<load.minutes {
            if minute % 60 == 0 { hour = [:] }
            var clicks: [Int64: Int64] = [:]
            for _ in 0..<Load.clicksPerMinute { clicks[random.number(1...load.banners), default: 0] += 1 }
            let rows = clicks.map { banner, count -> Row in
                var row = StoreTest.row(
                    banner, minute: minute, count: count, upTo: minute * 3_000 + banner % 3_000 + 1, store.layout)
                if store.layout == .hour {
                    var counts = hour.removeValue(forKey: banner) ?? .zero(.hour)
                    counts[Int(minute % 60)] = count
                    hour[banner] = counts
                    row.counts = counts
                }
                return row
            }
            let started = ContinuousClock.now
            try await store.merge(rows.sorted { $0.key < $1.key }, of: StoreTest.log)
            try await store.save(StoreTest.checkpoint(upTo: minute * 3_000 + 3_001), of: StoreTest.log)
            written.seconds += (ContinuousClock.now - started) / .seconds(1)
            written.flushes += 1
            written.rows += rows.count
            written.statements += (rows.count + 9_999) / 10_000 + 1
        }
        return written
    }
}
