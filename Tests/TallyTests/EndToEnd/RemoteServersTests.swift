// SPDX-License-Identifier: Apache-2.0

#if Kafka && PostgreSQL

import Foundation
import Testing

extension EndToEndTests {
    @Suite(
        "Servers that share a log and a store", .timeLimit(.minutes(5)),
        .enabled(if: KafkaMock.program != nil, "TALLY_TEST_KAFKA_MOCK does not name the mock of Kafka"),
        .enabled(if: TestServer.postgreSQL != nil, "TALLY_TEST_POSTGRES is not set"))
    struct RemoteServersTests {
        private static let banners = 1...20

        @Test("what one lets in, others count and a third answers, while those that count are killed and stopped")
        func killedAndStopped() async throws {
            try await withServers(partitions: 4) { servers in
                let ingest = try await servers.start("ingest")
                let first = try await servers.start("aggregate", "--flush-every", "1s")
                let second = try await servers.start("aggregate", "--flush-every", "1s")
                let query = try await servers.startQuery(asking: [first, second])
                try await click(ingest, times: 2)
                try await waitForAll(2, query)

                try await first.kill()
                try await click(ingest, times: 1)
                // An answer is never an error, and says what it may lack.
                let partial = try await query.client.get("/v1/totals")
                #expect(partial.status == 200)
                try await waitForAll(3, query)

                let third = try await servers.start("aggregate", "--flush-every", "1s")
                let both = try await servers.startQuery(asking: [second, third])
                try await eventually("the third has partitions", within: .seconds(60)) {
                    try await third.client.metric("tally_partition_assigned") ?? 0 > 0
                }
                try await waitForAll(3, both)
                second.process.signal(SIGSTOP)
                try await click(ingest, times: 1)
                let start = ContinuousClock.now
                let answer = try await both.client.get("/v1/totals")
                #expect(ContinuousClock.now - start < .seconds(10))
                #expect(answer.status == 200)
                // The others wait for it no longer than the group's session.
                try await waitForAll(4, both)
                second.process.signal(SIGCONT)
                try await click(ingest, times: 1)
                try await waitForAll(5, both)
                for server in [ingest, third, second, both, query] {
                    #expect(try await server.terminate(within: .seconds(30)) == .code(0))
                }
                let last = try await servers.startQuery(asking: [])
                let stored = try await last.client.get("/v1/totals")
                #expect(try stored.json(Totals.self).total == 5 * Self.banners.count)
                // Nobody counts any more, and the answer says so.
                #expect(stored.header("Tally-Behind") == "0, 1, 2, 3")
            }
        }

        @Test("from a journal to Kafka: the store is copied, and answers sum over both")
        func fromTheJournal() async throws {
            try await withServers(partitions: 2) { servers in
                let old = try await servers.sandbox.serve()
                try await click(old, times: 3)
                #expect(try await old.terminate() == .code(0))
                let copied = try await servers.sandbox.run(arguments: [
                    "store", "copy", "--from", "sqlite:\(servers.sandbox.data)/tally.sqlite", "--to", servers.store,
                ])
                #expect(copied.exit == .code(0), "\(copied.errors)")
                let all = try await servers.start("ingest,aggregate,query", "--flush-every", "1s")
                try await click(all, times: 2)
                try await waitForAll(5, all)
                #expect(try await all.terminate(within: .seconds(30)) == .code(0))
            }
        }

        private struct Totals: Decodable {
            let total: Int
        }

        private func click(_ server: TallyProcess, times: Int) async throws {
            for banner in Self.banners { try await server.client.click(banner, times: times) }
        }

        /// Waits until the answer lacks nothing and has so many clicks of each banner; it never has more.
        private func waitForAll(_ clicks: Int, _ server: TallyProcess) async throws {
            try await eventually("all is answered", within: .seconds(90), every: .milliseconds(50)) {
                let answer = try await server.client.get("/v1/totals")
                let total = try answer.json(Totals.self).total
                #expect(answer.status == 200 && total <= clicks * Self.banners.count)
                return answer.header("Tally-Behind") == nil && total == clicks * Self.banners.count
            }
            for banner in Self.banners { #expect(try await server.client.total(of: banner) == clicks) }
        }

        private func withServers(partitions: Int, _ body: (RemoteServers) async throws -> Void) async throws {
            let mock = try await KafkaMock()
            try await mock.tell("topic clicks \(partitions) 3")
            try await EndToEndStore.postgreSQL.withOptions { options in
                try await withSandbox { sandbox in
                    let log = "kafka://\(mock.servers)/clicks?reconnect.backoff.max.ms=100"
                    try await body(RemoteServers(sandbox: sandbox, store: options[1], log: log))
                }
            }
        }
    }
}

/// Starts servers of one log and store.
private struct RemoteServers {
    let sandbox: Sandbox
    let store: String
    let log: String

    func start(_ roles: String, _ more: String...) async throws -> TallyProcess {
        try await start(roles, more)
    }

    private func start(_ roles: String, _ more: [String]) async throws -> TallyProcess {
        try await sandbox.serve(
            options: ["--roles", roles, "--log", log, "--store", store] + more,
            data: sandbox.directory.appending("data-\(UUID())"))
    }

    func startQuery(asking servers: [TallyProcess]) async throws -> TallyProcess {
        let addresses = servers.map { "127.0.0.1:\($0.port)" }.joined(separator: ",")
        return try await start("query", servers.isEmpty ? [] : ["--aggregators", addresses])
    }
}

#endif
