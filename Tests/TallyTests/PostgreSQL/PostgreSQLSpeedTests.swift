// SPDX-License-Identifier: Apache-2.0

#if PostgreSQL

import Foundation
import TallyCore
import Testing

@testable import TallyBackends

/// Measures with `TALLY_MEASURE=1 make test`, or with a server of one's own in `TALLY_TEST_POSTGRES`, and prints what it finds.
@Suite(
    "What PostgreSQL costs", .serialized, .needsPostgreSQL,
    .enabled(if: ProcessInfo.processInfo.environment["TALLY_MEASURE"] != nil, "TALLY_MEASURE is not set"))
struct PostgreSQLSpeedTests {
    private static let banners = 100
    private static let days = 30

    @Test(
        "a day of one banner out of 100 banners x 30 days is read nearly as fast as psql reads it",
        arguments: Layout.allCases)
    func readsADay(layout: Layout) async throws {
        try await PostgreSQLTestSchema.use { schema in
            let store = PostgreSQLStore(url: schema.url, layout: layout)
            try await store.save(.start, of: StoreTest.log)
            try await schema.run(Self.thirtyDays(layout))
            let end = StoreTest.minute(Int64(Self.days) * 1_440)
            let range = RowRange(
                banners: [StoreTest.banner(50)], kinds: [.click],
                minutes: end.advanced(by: -1_440)...end.advanced(by: -1))
            var times: [Double] = []
            for _ in 0..<100 {
                let started = ContinuousClock.now
                let rows = try await store.rows(in: range)
                times.append((ContinuousClock.now - started) / .milliseconds(1))
                #expect(rows.count == 1_440 / layout.minutesPerRow)
            }
            let ours = times.sorted()[50]
            let theirs = try await psqlMedian(schema, layout, range)
            print(
                "PostgreSQL, \(layout): a day of a banner in \(ours) ms; psql \(theirs) ms; \(ours / theirs) times that"
            )
            #expect(ours < theirs * 1.5)
            await store.close()
        }
    }

    /// One click and more in each minute of each banner, in the order in which a server writes.
    private static func thirtyDays(_ layout: Layout) -> String {
        let start = "to_timestamp(\(StoreTest.minute(0).unixSeconds))"
        let table = PostgreSQLCountTable(layout: layout)
        let counts =
            layout == .minute
            ? "banner % 9 + 1"
            : "(SELECT jsonb_object_agg(minute::text, minute % 9 + 1) FROM generate_series(0, 59) minute)"
        return """
            INSERT INTO \(table.name) (banner_id, \(table.timestamp), kind, log, \(table.counts), up_to)
            SELECT banner, \(start) + step * interval '\(layout.minutesPerRow) minutes', 'click', 1, \(counts), step + 1
            FROM generate_series(0, \(days * 1_440 / layout.minutesPerRow - 1)) step, generate_series(1, \(banners)) banner;
            ANALYZE \(table.name)
            """
    }

    /// The same rows, prepared and read 100 times in one session.
    private func psqlMedian(_ schema: PostgreSQLTestSchema, _ layout: Layout, _ range: RowRange) async throws -> Double
    {
        let table = PostgreSQLCountTable(layout: layout)
        let (first, last) = (range.minutes.lowerBound.unixSeconds, range.minutes.upperBound.unixSeconds)
        let script = """
            PREPARE day AS SELECT banner_id, \(table.timestamp), kind, log, \(table.counts), up_to FROM \(table.name)
            WHERE \(table.timestamp) BETWEEN to_timestamp(\(first)) AND to_timestamp(\(last))
                AND banner_id = ANY('{50}') AND kind = ANY('{click}');
            \\timing on

            """ + String(repeating: "EXECUTE day;\n", count: 100)
        return try await withSandbox { sandbox in
            let file = sandbox.directory.appending("day.sql")
            try script.write(toFile: file, atomically: true, encoding: .utf8)
            let child = try sandbox.start(
                ["--no-psqlrc", "--quiet", "--file", file, schema.url.text], executable: "/usr/bin/psql")
            #expect(try await child.waitForExit() == .code(0), "\(child.report.errorText)")
            let times = child.report.outputText.split(separator: "\n").compactMap { line in
                line.hasPrefix("Time: ") ? line.split(separator: " ").dropFirst().first.flatMap { Double($0) } : nil
            }
            try #require(times.count == 100)
            return times.sorted()[50]
        }
    }

    @Test(
        "writes and bytes, with so many banners that are all clicked in each minute",
        arguments: Layout.allCases, [100, 10_000, 1_000_000])
    func writes(layout: Layout, banners: Int) async throws {
        try await PostgreSQLTestSchema.use { schema in
            let store = PostgreSQLStore(url: schema.url, layout: layout, limit: .seconds(300))
            // An hour, flushed every minute; of a million banners less, for the sake of the test's time.
            let minutes = banners > 10_000 ? 3 : 60
            let started = ContinuousClock.now
            for minute in 0..<minutes {
                let rows = (1...banners).map { banner in
                    var row = StoreTest.row(
                        Int64(banner), minute: Int64(minute), count: Int64(banner % 9 + 1), upTo: Int64(minute + 1),
                        layout)
                    if layout == .hour { for earlier in 0..<minute { row.counts[earlier] = Int64(banner % 9 + 1) } }
                    return row
                }
                try await store.merge(rows, of: StoreTest.log)
            }
            let seconds = (ContinuousClock.now - started) / .seconds(1) / Double(minutes)
            let table = PostgreSQLCountTable(layout: layout).name
            let size = "SELECT pg_total_relation_size('\(table)') AS bytes"
            let written = try await schema.texts(size)
            try await schema.run("VACUUM FULL \(table)")
            let packed = try await schema.texts(size)
            print(
                """
                PostgreSQL, \(layout), \(banners) banners: \((banners + 9_999) / 10_000) INSERTs and \(banners) rows a minute, \
                \(seconds) s; \(bytes(written) / Double(minutes * banners)) bytes a minute as written, \
                \(bytes(packed) / Double(minutes * banners)) after VACUUM FULL
                """)
            await store.close()
        }
    }

    private func bytes(_ rows: [[String]]) -> Double { rows.first?.first.flatMap { Double($0) } ?? .nan }
}

#endif
