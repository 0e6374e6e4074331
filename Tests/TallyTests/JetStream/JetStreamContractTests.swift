// SPDX-License-Identifier: Apache-2.0

#if JetStream

import TallyBackends
import TallyCore
import Testing

@Suite("A stream of JetStream keeps the contract")
struct JetStreamContractTests {
    @Test(
        "Debian's nats-server", .enabled(if: NATSTesting.servers != nil, NATSTesting.missing),
        arguments: EventLogSuite.promises)
    func jetStreamKeeps(_ promise: EventLogSuite.Promise) async throws {
        try await NATSTesting.check(promise, on: NATSTesting.servers)
    }

    @Test(
        "a reader at the end waits until more comes, and no longer",
        .enabled(if: NATSTesting.servers != nil, NATSTesting.missing))
    func waiting() async throws {
        let logs = try await JetStreamLogs.open(NATSTesting.url(NATSTesting.servers))
        try await WaitingLogCheck(logs.log(of: 0)).run()
        await logs.close()
    }

    @Test(
        "a newer nats-server that always syncs",
        .enabled(if: NATSTesting.newServers != nil, NATSTesting.newMissing),
        arguments: EventLogSuite.promises)
    func newJetStreamKeeps(_ promise: EventLogSuite.Promise) async throws {
        try await NATSTesting.check(promise, on: NATSTesting.newServers)
    }
}

enum NATSTesting {
    static let servers = TestServers.variable("TALLY_TEST_NATS")
    static let newServers = TestServers.variable("TALLY_TEST_NATS_NEW")
    static let missing: Comment = "TALLY_TEST_NATS does not name a cluster of nats-servers"
    static let newMissing: Comment = "TALLY_TEST_NATS_NEW does not name a cluster of newer nats-servers"

    /// Of streams of its own.
    static func url(
        _ servers: String?, _ stream: String = TestServers.newName(), _ query: String = "?partitions=1"
    ) throws -> JetStreamURL {
        try JetStreamURL("nats://\(servers ?? "")/\(stream)\(query)")
    }

    /// Of the first server of a cluster, on this machine.
    static func port(_ servers: String?) throws -> Int {
        try #require(servers?.split(separator: ",").first?.split(separator: ":").last.flatMap { Int($0) })
    }

    static func check(_ promise: EventLogSuite.Promise, on servers: String?) async throws {
        let url = try url(servers)
        let logs = try await JetStreamLogs.open(url, checksPartitions: false)
        let others = try await JetStreamLogs.open(url, checksPartitions: false)
        try await promise.check(EventLogSuite(log: logs.log(of: 0), other: others.log(of: 0)))
        await logs.close()
        await others.close()
    }
}

#endif
