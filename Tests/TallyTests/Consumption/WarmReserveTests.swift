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
        let direct = try await JetStreamLogs.open(NATSTesting.url(servers, name, "?partitions=1"))
        let trimming = try await JetStreamLogs.open(NATSTesting.url(servers, name, "?partitions=1"))
        let relayed = try await JetStreamLogs.open(NATSTesting.url("127.0.0.1:\(relay.port)", name, "?partitions=1"))
        let store = MemoryStore(layout: .minute)
        try await ConsumerFixture(direct, store: store).run { prompt in
            try await ConsumerFixture(relayed, store: store).run(crashes: true) { slow in
                for fixture in [prompt, slow] { fixture.group.assign([0]) }
                var sequence: UInt64 = 0
                var quick = 0
                for _ in 0..<20 where quick < 3 {
                    try await append(5, to: direct, &sequence)
                    for fixture in [prompt, slow] { try await fixture.waitUntilCounted([0]) }
                    relay.hold(atCallWith: "CONSUMER.MSG.NEXT.")
                    try await eventually("a pull is held up") { relay.isHolding }
                    let held = ContinuousClock.now
                    try await append(20, to: direct, &sequence)
                    let last = LogOffset(Int64(sequence))
                    try await eventually("they are counted") {
                        prompt.consumer.views(in: .everything).first?.position == last
                    }
                    async let flush: Void = prompt.consumer.flush()
                    try await eventually("they are stored") {
                        try await store.checkpoint(of: direct.ids[0])?.upTo == last
                    }
                    // As the flush does when the long poll of the same log is over, which takes longer than the other's pull.
                    try await trimming.log(of: 0).trim(before: last.next)
                    try await append(5, to: direct, &sequence)
                    relay.release()
                    if held.duration(to: .now) < WarmReserveTests.timeOfAPull { quick += 1 }
                    await flush
                    for fixture in [slow, prompt] {
                        try await fixture.waitUntilCounted([0])
                        await fixture.consumer.flush()
                    }
                    let counts = try await store.totals(in: .everything, with: [])
                    #expect(counts.map(\.count) == [Int64(sequence)])
                }
                #expect(quick > 0, "no trim came within the time of a pull")
            }
        }
        await direct.close()
        await trimming.close()
        await relayed.close()
        await relay.stop()
    }

    /// A reader whose pull brings nothing for longer asks where the log begins, so that it notices anything.
    private static let timeOfAPull = Duration.milliseconds(200)

    /// As many chunks of one event.
    private func append(_ count: UInt64, to logs: JetStreamLogs, _ sequence: inout UInt64) async throws {
        let minute = Minute(sinceEpoch: 28_899_960)!
        let delta = Delta(banner: BannerID(1)!, kind: 0, minute: minute, count: 1)
        let chunks = (sequence + 1...sequence + count).map { sequence in
            Chunk(
                node: NodeID(process: SampleChunks.node, partition: 0), sequence: sequence,
                time: Timestamp(milliseconds: 28_899_960 * 60_000),
                kinds: [.click], deltas: [delta], identified: [])
        }
        sequence += count
        _ = try await logs.log(of: 0).append(chunks)
    }
}

#endif
