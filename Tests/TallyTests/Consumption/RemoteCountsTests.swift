// SPDX-License-Identifier: Apache-2.0

import ServiceLifecycle
import Testing

@testable import TallyCore
@testable import TallyServer

@Suite("What a process with a remote log counts and answers", .timeLimit(.minutes(5)))
struct RemoteCountsTests {
    private let store = MemoryStore(layout: .minute)

    /// Asks another process of the test directly.
    private struct Neighbour: UnflushedSource {
        let counts: RemoteCounts

        func unflushed(in range: RowRange) async -> UnflushedAnswer { UnflushedAnswer(views: counts.views(in: range)) }
    }

    private func counts(
        _ logs: LogsInMemory, _ fixture: ConsumerFixture<LogsInMemory>?, asking other: RemoteCounts? = nil
    ) -> RemoteCounts {
        RemoteCounts(
            logs: logs, consumer: fixture?.consumer, aggregators: other.map { Neighbour(counts: $0) }, store: store,
            clock: ManualClock(), late: 10, identity: NodeID(bits: 5))
    }

    @Test("one that counts a part of the partitions asks another for the rest, and the watermark is that of both")
    func askingANeighbour() async throws {
        let logs = LogsInMemory(2)
        for banner in Int64(1)...8 { try await logs.append(banner, sequence: UInt64(banner)) }
        let (one, other) = (ConsumerFixture(logs, store: store), ConsumerFixture(logs, store: store))
        try await one.run { one in
            try await other.run { other in
                one.group.assign([0])
                other.group.assign([1])
                try await one.waitUntilCounted([0])
                try await other.waitUntilCounted([1])
                let neighbour = counts(logs, other)
                let alone = try await counts(logs, one).totals(in: .everything)
                #expect(alone.freshness.behind.map(\.partition) == [1])
                #expect(alone.freshness.behind[0].reason == "nobody who was asked counts it")
                let both = counts(logs, one, asking: neighbour)
                let answer = try await both.minuteCounts(in: .everything)
                #expect(answer.value.map(\.count) == Array(repeating: 1, count: 8))
                #expect(answer.freshness == Freshness(watermark: Minute(sinceEpoch: 28_899_950)!))
                #expect(both.watermark == Minute(sinceEpoch: 28_899_950)!)
                let query = counts(logs, nil, asking: both)
                #expect(try await query.totals(in: .everything).value.count != 8, "it asks one of the two")
            }
        }
    }

    @Test("who counts tells in the metrics and in readyz what it can't count, and stays ready")
    func telling() async throws {
        let logs = LogsInMemory(2)
        for banner in Int64(1)...8 { try await logs.append(banner, sequence: UInt64(banner)) }
        logs.fail(1, .damaged("offset 3 can't be read"))
        let fixture = ConsumerFixture(logs, store: store)
        let registry = MetricsRegistry()
        let counts = counts(logs, fixture)
        counts.report(to: registry)
        try await fixture.run { fixture in
            fixture.group.assign([0, 1])
            try await fixture.waitForProblem(1, "offset 3 can't be read")
            try await eventually("partition 0 is counted") { fixture.consumer.partitions[0].problem == nil }
            #expect(counts.readiness == .counting(butNot: "partition 1: offset 3 can't be read"))
            let end = try await logs.log(of: 0).end()
            let text = registry.prometheusText.split(separator: "\n")
            #expect(text.contains(#"tally_partition_behind{partition="0"} 0.0"#))
            #expect(text.contains(#"tally_partition_behind{partition="1"} 1.0"#))
            #expect(text.contains(#"tally_partition_assigned{partition="1"} 1.0"#))
            #expect(text.contains(Substring(#"tally_partition_position{partition="0"} \#(end).0"#)))
        }
        #expect(counts.partitions.isEmpty)
        #expect(registry.prometheusText.contains(#"tally_partition_assigned{partition="1"} 0.0"#))
    }
}
