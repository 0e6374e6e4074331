// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOCore
import TallyCore
import TallySimulator
import Testing

@testable import TallyBackends

@Suite("What a store on ClickHouse does beyond the contract", .timeLimit(.minutes(10)))
struct ClickHouseStoreTests {
    @Test("a flush is one block for each 10,000 rows", arguments: ClickHouseSubject.all)
    func blocks(_ subject: ClickHouseSubject) async throws {
        try await subject.withStore { store in
            let rows = (1...25_000).map { StoreTest.row($0, minute: 0, count: 1, upTo: 1, subject.layout) }
            try await store.merge(rows, of: StoreTest.log)
            let sql = "SELECT max(max_block_number) - min(min_block_number) + 1 FROM system.parts"
            let blocks = try await ask(
                "\(sql) WHERE database = '\(store.client.url.database)' AND table = 'tally_counts'", store)
            #expect(blocks == "3\n")
        }
    }

    @Test("answers don't depend on whether parts were merged", arguments: ClickHouseSubject.all)
    func merges(_ subject: ClickHouseSubject) async throws {
        try await subject.withStore { store in
            var random = SeededGenerator(seed: 11)
            for _ in 0..<12 {
                for log in StoreTest.logs {
                    try await store.merge(StoreTest.randomRows(subject.layout, atMost: 30, using: &random), of: log)
                }
            }
            try await store.save(StoreTest.checkpoint(upTo: 4), of: StoreTest.log)
            try await store.save(StoreTest.checkpoint(upTo: 3), of: StoreTest.log)
            let before = try await everything(in: store)
            #expect(!before.rows.isEmpty)
            for table in ["tally_counts", "tally_checkpoints", "tally_banners"] {
                _ = try await store.client.run(.definition("OPTIMIZE TABLE \(table) FINAL"))
            }
            #expect(try await ask("SELECT count() FROM tally_counts", store) == "\(before.rows.count)\n")
            #expect(try await everything(in: store) == before)
        }
    }

    @Test("the view has the plain numbers", arguments: ClickHouseSubject.all)
    func view(_ subject: ClickHouseSubject) async throws {
        try await subject.withStore { store in
            func row(_ id: Int64, minute: Int64, count: Int64, upTo: Int64, kind: Kind = .click) -> Row {
                StoreTest.row(id, kind, minute: minute, count: count, upTo: upTo, subject.layout)
            }
            let view = Kind("view_2")!
            try await store.merge(
                [row(1, minute: 0, count: 5, upTo: 2), row(2, minute: 61, count: .max, upTo: 1)], of: StoreTest.logs[0])
            try await store.merge([row(1, minute: 0, count: 3, upTo: 1)], of: StoreTest.logs[0])
            try await store.merge(
                [
                    row(1, minute: 0, count: 2, upTo: 1), row(2, minute: 61, count: .max, upTo: 1),
                    row(.max, minute: 59, count: 1, upTo: 1, kind: view), row(3, minute: 60, count: 0, upTo: 1),
                ], of: StoreTest.logs[1])
            let sql = "SELECT banner_id, kind, toString(minute_timestamp), count FROM tally_minutes ORDER BY banner_id"
            let expected = """
                1\tclick\t2024-12-12 10:00:00\t7
                2\tclick\t2024-12-12 11:01:00\t9223372036854775807
                9223372036854775807\tview_2\t2024-12-12 10:59:00\t1

                """
            #expect(try await ask(sql, store) == expected)
        }
    }

    @Test("invalid events stand beside what was sent, and nowhere else", arguments: ClickHouseSubject.all)
    func traffic(_ subject: ClickHouseSubject) async throws {
        try await subject.withStore { store in
            for log in StoreTest.logs.prefix(2) {
                try await store.merge(
                    [
                        StoreTest.row(7, minute: 64, count: 7, upTo: 1, subject.layout),
                        StoreTest.row(7, Kind.click.invalid(.bot), minute: 64, count: 2, upTo: 1, subject.layout),
                        StoreTest.row(7, Kind.click.invalid(.burst), minute: 64, count: 1, upTo: 1, subject.layout),
                        StoreTest.row(8, .impression, minute: 64, count: .max, upTo: 1, subject.layout),
                    ], of: log)
            }
            let sql = "SELECT banner_id, kind, gross, net, bot, burst FROM tally_traffic ORDER BY banner_id"
            let full = Int64.max
            #expect(try await ask(sql, store) == "7\tclick\t14\t8\t4\t2\n8\timpression\t\(full)\t\(full)\t0\t0\n")
            let kinds = try await ask("SELECT DISTINCT kind FROM tally_minutes ORDER BY kind", store)
            #expect(kinds == "click\nimpression\n")
        }
    }

    @Test(
        "the view shows minutes after 2105 as its last one, each as a row of its own", arguments: ClickHouseSubject.all)
    func viewOfTheFuture(_ subject: ClickHouseSubject) async throws {
        try await subject.withStore { store in
            let starts = [4_102_444_800, 4_291_747_140 - 59 * 60, 4_291_747_200, 253_402_297_200] as [Int64]
            let rows = starts.map { seconds in
                var counts = RowCounts.zero(subject.layout)
                counts[0] = 1
                let key = RowKey(banner: StoreTest.banner(1), kind: .click, start: Minute(unixSeconds: seconds)!)
                return Row(key: key, counts: counts, upTo: LogOffset(1))
            }
            try await store.merge(rows, of: StoreTest.log)
            #expect(Set(try await store.rows(in: .everything).map(\.row)) == Set(rows))
            let shown = try await ask(
                "SELECT toString(minute_timestamp) AS t, count FROM tally_minutes ORDER BY t", store)
            #expect(
                shown.split(separator: "\n") == [
                    "2100-01-01 00:00:00\t1", "2105-12-31 23:00:00\t1", "2105-12-31 23:59:00\t1",
                    "2105-12-31 23:59:00\t1",
                ])
        }
    }

    @Test("long lists of banners and kinds are no longer than a statement may be", arguments: ClickHouseSubject.all)
    func longLists(_ subject: ClickHouseSubject) async throws {
        try await subject.withStore { store in
            let kinds = (0..<256).map { Kind("kind_\($0)_" + String(repeating: "x", count: 20))! }
            let rows = (1...Int64(500)).map {
                StoreTest.row($0, kinds[Int($0) % 256], minute: 0, count: 1, upTo: 1, subject.layout)
            }
            try await store.merge(rows, of: StoreTest.log)
            let range = RowRange(
                banners: Set((100...5_000).map(StoreTest.banner)), kinds: Set(kinds.dropFirst(100)),
                minutes: .first ... .last)
            let expected = rows.filter { range.contains($0.key.banner, $0.key.kind) }
            #expect(expected.count > 100)
            #expect(Set(try await store.rows(in: range).map(\.row)) == Set(expected))
            let totals = try await store.totals(in: range, with: [])
            #expect(Set(totals.map(\.banner)) == Set(expected.map(\.key.banner)))
        }
    }

    @Test(
        "what tally can't have written is damage, with the place where it was found",
        arguments: ClickHouseTestServer.allCases,
        [
            ("1, 'No Kind', 60, 'a', 1, 1", "no kind"), ("0, 'click', 60, 'a', 1, 1", "banner_id 0"),
            ("1, 'click', 61, 'a', 1, 1", "timestamp 61"), ("1, 'click', -60, 'a', 1, 1", "timestamp -60"),
            ("1, 'click', 60, '', 1, 1", "name of a log"), ("1, 'click', 60, 'a', -1, 1", "count -1"),
            ("1, 'click', 60, 'a', 1, 9223372036854775808", "up_to 9223372036854775808"),
        ])
    func damage(_ server: ClickHouseTestServer, _ row: (values: String, complaint: String)) async throws {
        try await ClickHouseSubject(server: server, layout: .minute).withStore { store in
            try await store.prepare()
            _ = try await store.client.run(.definition("INSERT INTO tally_counts VALUES (\(row.values))"))
            // A timestamp before 1970 is in no range that can be asked for.
            let everything = "SELECT banner_id, kind, minute_timestamp, log, count, up_to FROM tally_counts FINAL"
            let answer = try await store.client.run(.select(everything))
            let error = #expect(throws: ClickHouseDamage.self) {
                try ClickHouseCountTable(layout: .minute).decode(answer)
            }
            #expect(error?.what.contains(row.complaint) == true)
            guard !row.values.contains("-60") else { return }
            let outside = await #expect(throws: StoreError.self) { try await store.rows(in: .everything) }
            #expect(outside?.description.contains("\(store.client.url) is damaged: ") == true)
        }
    }

    @Test("what no log counts any more goes, a partition at a time", arguments: ClickHouseSubject.all)
    func outdatedPartitions(_ subject: ClickHouseSubject) async throws {
        try await subject.server.withDatabase { url in
            let store = ClickHouseStore(url, layout: subject.layout, settling: .zero)
            // Partitions begin at multiples of 30 days.
            let month = Int64(30 * 1_440)
            let first = Minute(sinceEpoch: 650 * month)!
            func row(_ months: Int64, _ count: Int64) -> Row {
                var counts = RowCounts.zero(subject.layout)
                counts[subject.layout.minutesPerRow - 1] = count
                let start = first.advanced(by: months * month)
                return Row(
                    key: RowKey(banner: StoreTest.banner(1), kind: .click, start: start), counts: counts,
                    upTo: LogOffset(1))
            }
            for log in StoreTest.logs.prefix(2) { try await store.merge((0..<4).map { row($0, 5) }, of: log) }
            let partitions =
                "SELECT arraySort(groupUniqArray(partition)) FROM system.parts WHERE active AND database = '\(url.database)' AND table = "
            let horizon = Horizon(collapsed: first.advanced(by: month * 2 + 60), dropped: first.advanced(by: month))
            try await store.expire(before: horizon, of: StoreTest.logs[0])
            #expect(
                try await ask("\(partitions) 'tally_counts'", store) == "['650','651','652','653']\n", "the other log")
            try await store.expire(before: horizon, of: StoreTest.logs[1])
            #expect(try await ask("\(partitions) 'tally_counts'", store) == "['652','653']\n")
            #expect(try await ask("\(partitions) 'tally_collapsed'", store) == "['651','652']\n")
            // Of a row of an hour the count is in the last quarter.
            let quarter = Int64(subject.layout.minutesPerRow - 1) / 15 * 15
            let total = Total(
                banner: StoreTest.banner(1), kind: .click, count: 30,
                minutes: first.advanced(
                    by: month + quarter)...first.advanced(
                        by: month * 3 + Int64(subject.layout.minutesPerRow - 1)))
            #expect(try await store.totals(in: .everything, with: []) == [total])
            #expect(try await ask("SELECT sum(count) FROM tally_minutes", store) == "30\n", "the view knows of it")
            try await store.close()
        }
    }

    private struct Contents: Equatable {
        var rows: Set<StoredRow>
        var totals: Set<Total>
        var checkpoint: Checkpoint?
        var logs: [LogID]
    }

    private func everything(in store: ClickHouseStore) async throws -> Contents {
        Contents(
            rows: Set(try await store.rows(in: .everything)),
            totals: Set(try await store.totals(in: .everything, with: [])),
            checkpoint: try await store.checkpoint(of: StoreTest.log), logs: try await store.logs())
    }

    private func ask(_ sql: String, _ store: ClickHouseStore) async throws -> String {
        String(buffer: try await store.client.run(.definition(sql)))
    }
}
