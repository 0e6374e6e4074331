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
        @Test("what one lets in, others count and a third answers, while those that count are killed and stopped")
        func killedAndStopped() async throws {
            try await withServers(partitions: 4) { servers in
                try await servers.checkDeaths(partitions: 4)
            }
        }

        @Test("a server is ready to answer when it has counted what the log held, and to count before")
        func readyAfterTheStart() async throws {
            try await withServers(partitions: 4) { servers in try await servers.checkStart() }
        }

        @Test("from a journal to Kafka: the store is copied, and answers sum over both")
        func fromTheJournal() async throws {
            try await withServers(partitions: 2) { servers in
                let old = try await servers.sandbox.serve()
                try await servers.click(old, times: 3)
                #expect(try await old.terminate() == .code(0))
                let copied = try await servers.sandbox.run(arguments: [
                    "store", "copy", "--from", "sqlite:\(servers.sandbox.data)/tally.sqlite", "--to", servers.store,
                ])
                #expect(copied.exit == .code(0), "\(copied.errors)")
                let all = try await servers.start("ingest,aggregate,query", "--flush-every", "1s")
                try await servers.click(all, times: 2)
                try await servers.waitForAll(5, all)
                #expect(try await all.terminate(within: .seconds(30)) == .code(0))
            }
        }

        @Test("from one store to another: what is let in meanwhile is counted behind the copy, once")
        func toAnotherStore() async throws {
            try await withServers(partitions: 2) { servers in
                let old = servers.with(store: "sqlite:\(servers.sandbox.directory.appending("old.sqlite"))")
                let ingest = try await old.start("ingest")
                let counting = try await old.start("aggregate,query", "--flush-every", "1s")
                try await old.click(ingest, times: 2)
                try await old.waitForAll(2, counting)
                #expect(try await counting.terminate(within: .seconds(30)) == .code(0))
                try await old.click(ingest, times: 1)
                let copied = try await servers.sandbox.run(
                    "store", "copy", "--from", old.store, "--to", servers.store)
                #expect(copied.exit == .code(0), "\(copied.errors)")
                let moved = try await servers.start("aggregate,query", "--flush-every", "1s")
                try await servers.waitForAll(3, moved)
                try await servers.click(ingest, times: 1)
                try await servers.waitForAll(4, moved)
                for server in [ingest, moved] {
                    #expect(try await server.terminate(within: .seconds(30)) == .code(0))
                }
            }
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

#endif
