// SPDX-License-Identifier: Apache-2.0

#if JetStream

import Foundation
import TallyBackends
import Testing

extension EndToEndTests {
    @Suite(
        "A log that grows", .timeLimit(.minutes(4)),
        .enabled(if: NATSCluster.program != nil, "TALLY_TEST_NATS_SERVER does not name a nats-server"))
    struct RemoteGrowthTests {
        @Test("from few to many partitions: banners move, and their counts stay right; fewer are refused")
        func morePartitions() async throws {
            let cluster = try NATSCluster()
            // When the streams are there, the cluster has its leaders.
            await (try await cluster.logs("clicks", "partitions=2")).close()
            let log = "nats://\(cluster.servers)/clicks"
            try await withSandbox { sandbox in
                let few = RemoteServers(
                    sandbox: sandbox, store: "sqlite:\(sandbox.directory.appending("counts.sqlite"))",
                    log: "\(log)?partitions=2")
                let before = try await few.start("ingest,aggregate,query", "--flush-every", "1s")
                try await few.click(before, times: 2)
                try await few.waitForAll(2, before)
                #expect(try await before.terminate(within: .seconds(30)) == .code(0))

                let many = few.with(log: "\(log)?partitions=5")
                let ingest = try await many.start("ingest")
                try await many.click(ingest, times: 1)
                let counting = try await many.start("aggregate,query", "--flush-every", "1s")
                try await many.waitForAll(3, counting)
                try await many.click(ingest, times: 2)
                try await many.waitForAll(5, counting)
                for server in [ingest, counting] {
                    #expect(try await server.terminate(within: .seconds(30)) == .code(0))
                }

                let refused = try await sandbox.run(
                    "serve", "--listen", "127.0.0.1:0", "--data", sandbox.data, "--roles", "ingest", "--log",
                    "\(log)?partitions=2", "--store", few.store)
                #expect(refused.exit == .code(1))
                #expect(refused.errors.contains("there are streams for 5 partitions"), "\(refused.errors)")
            }
        }
    }
}

#endif
