// SPDX-License-Identifier: Apache-2.0

#if JetStream

import Testing

@testable import TallyBackends
@testable import TallyCore
@testable import TallyServer

@Suite("Two processes count the same streams, and one of them is held up while the other trims")
struct WarmReserveTests {
    @Test("over Debian's nats-server", .enabled(if: NATSTesting.servers != nil, NATSTesting.missing))
    func debian() async throws { try await check(NATSTesting.servers) }

    @Test("over a newer nats-server", .enabled(if: NATSTesting.newServers != nil, NATSTesting.newMissing))
    func newer() async throws { try await check(NATSTesting.newServers) }

    private func check(_ servers: String?) async throws {
        let port = try NATSTesting.port(servers)
        let relay = try await HoldingRelay.start(to: port)
        let name = TestServers.newName()
        let direct = try await JetStreamLogs.open(NATSTesting.url(servers, name, "?partitions=2"))
        let relayed = try await JetStreamLogs.open(NATSTesting.url("127.0.0.1:\(relay.port)", name, "?partitions=2"))
        let store = MemoryStore(layout: .minute)
        try await ConsumerFixture(direct, store: store).run { prompt in
            try await ConsumerFixture(relayed, store: store).run(crashes: true) { slow in
                for fixture in [prompt, slow] { fixture.group.assign([0, 1]) }
                var sequence: UInt64 = 0
                for round in 1...3 as ClosedRange<Int64> {
                    try await append(5, to: direct, &sequence)
                    for fixture in [prompt, slow] { try await fixture.waitUntilCounted([0, 1]) }
                    relay.hold(atCall: 1)
                    try await append(20, to: direct, &sequence)
                    try await prompt.waitUntilCounted([0, 1])
                    await prompt.consumer.flush()
                    try await checkTrimmed(direct, at: sequence)
                    relay.release()
                    try await append(5, to: direct, &sequence)
                    for fixture in [slow, prompt] {
                        try await fixture.waitUntilCounted([0, 1])
                        await fixture.consumer.flush()
                    }
                    let counts = try await store.totals(in: .everything, with: [])
                    #expect(Set(counts.map(\.count)) == [round * 30], "round \(round): \(counts)")
                }
            }
        }
        await direct.close()
        await relayed.close()
        await relay.stop()
    }

    /// One event at a time for each of two banners, of both partitions.
    private func append(_ count: Int, to logs: JetStreamLogs, _ sequence: inout UInt64) async throws {
        for _ in 0..<count {
            sequence += 1
            for banner in banners(logs.partitioning) { try await logs.append(banner, sequence: sequence) }
        }
    }

    private func banners(_ partitioning: Partitioning) -> [Int64] {
        (0..<partitioning.count).compactMap { partition in
            (1...100).first { partitioning.partition(of: BannerID($0)!) == partition }
        }
    }

    private func checkTrimmed(_ logs: JetStreamLogs, at sequence: UInt64) async throws {
        for partition in 0..<2 {
            let reply = await logs.log(of: partition).reply(from: LogOffset(1), maximumBytes: 1)
            #expect(reply == .failure(.trimmed(first: LogOffset(Int64(sequence) + 1))))
        }
    }
}

#endif
