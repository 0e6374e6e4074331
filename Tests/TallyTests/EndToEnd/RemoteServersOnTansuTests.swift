// SPDX-License-Identifier: Apache-2.0

#if Kafka && PostgreSQL

import Testing

extension EndToEndTests {
    @Suite(
        "Servers that share a log on Tansu, and a store", .timeLimit(.minutes(5)),
        .enabled(if: Tansu.server != nil, "TALLY_TEST_TANSU is not set"),
        .enabled(if: TestServer.postgreSQL != nil, "TALLY_TEST_POSTGRES is not set"))
    struct RemoteServersOnTansuTests {
        @Test("what one accepts, others count and a third answers, while those that count are killed and stopped")
        func killedAndStopped() async throws {
            try await withServers { servers in try await servers.checkDeaths(partitions: 4) }
        }

        @Test("a server is ready to answer when it has counted what the log held, and to count before")
        func readyAfterTheStart() async throws {
            try await withServers { servers in try await servers.checkStart() }
        }

        private func withServers(_ body: (RemoteServers) async throws -> Void) async throws {
            try await EndToEndStore.postgreSQL.withOptions { options in
                try await withSandbox { sandbox in
                    let log = Tansu.text(TestServers.newName(), partitions: 4)
                    try await body(RemoteServers(sandbox: sandbox, store: options[1], log: log))
                }
            }
        }
    }
}

#endif
