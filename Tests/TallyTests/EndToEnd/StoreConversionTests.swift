// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import Testing

extension EndToEndTests {
    @Suite("A store is converted while no server runs", .timeLimit(.minutes(5)))
    struct StoreConversionTests {
        private static let banners = 200
        private static let minutesOfEach = 1_000

        @Test("a signal stops it; the store is as it was, and another run does it", arguments: [SIGINT, SIGTERM])
        func interrupted(signal: Int32) async throws {
            try await withSandbox { sandbox in
                try await sandbox.makeLargeStore(banners: Self.banners, minutesOfEach: Self.minutesOfEach)
                let before = try sandbox.storedCounts()
                let convert = ["store", "convert", "--data", sandbox.data, "--to", "hour"]

                let stopped = try sandbox.start(convert)
                try await eventually("it is at work", every: .zero) {
                    FileManager.default.fileExists(atPath: sandbox.store + ".converting")
                }
                stopped.signal(signal)
                #expect(try await stopped.waitForExit() == .code(128 + signal))
                #expect(stopped.report.outputText.isEmpty)
                #expect(stopped.report.errorText == "tally: interrupted; the store is as it was\n")
                #expect(try sandbox.storedCounts() == before)
                #expect(try sandbox.storeFiles() == ["tally.sqlite"])

                let finished = try await sandbox.run(arguments: convert)
                #expect(finished.exit == .code(0), "\(finished.errors)")
                let tally = try await sandbox.serve("--layout", "hour")
                #expect(try await tally.client.total(of: 7) == 3)
                #expect(try await tally.client.total(of: 1_001) == Self.minutesOfEach)
            }
        }
    }
}

extension Sandbox {
    fileprivate var store: String { "\(data)/tally.sqlite" }

    /// A store of the layout `minute`, with three clicks of banner 7, and one a minute of those from 1001 on.
    fileprivate func makeLargeStore(banners: Int, minutesOfEach: Int) async throws {
        let tally = try await serve("--layout", "minute")
        try await tally.client.click(7, times: 3)
        #expect(try await tally.terminate() == .code(0))
        let queue = try DatabaseQueue(path: store)
        try await queue.write { database in
            try database.execute(
                sql: """
                    WITH banners(id) AS (SELECT 1001 UNION ALL SELECT id + 1 FROM banners LIMIT \(banners)),
                         minutes(age) AS (SELECT 1 UNION ALL SELECT age + 1 FROM minutes LIMIT \(minutesOfEach))
                    INSERT INTO minute_counts (banner_id, kind, minute_timestamp, log, count, up_to)
                    SELECT id, kind_id, (unixepoch() / 60 - age) * 60, log, 1, up_to
                    FROM banners, minutes, checkpoints, kinds WHERE kinds.name = 'click'
                    """)
        }
        try queue.close()
    }

    /// What stands in a store of the layout `minute`, by the banner.
    fileprivate func storedCounts() throws -> [String] {
        let queue = try DatabaseQueue(path: store)
        defer { try? queue.close() }
        return try queue.read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT banner_id, kind, log, COUNT(*), SUM(count), SUM(minute_timestamp), SUM(up_to)
                    FROM minute_counts GROUP BY banner_id, kind, log
                    """
            ).map(\.description)
        }
    }

    fileprivate func storeFiles() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: data).filter { $0.contains("sqlite") }
    }
}
