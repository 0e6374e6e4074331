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
        _ logs: LogsInMemory, _ fixture: ConsumerFixture<LogsInMemory>?, asking other: RemoteCounts? = nil,
        readyWithin: Duration = .seconds(3_600)
    ) -> RemoteCounts {
        RemoteCounts(
            logs: logs, consumer: fixture?.consumer, aggregators: other.map { Neighbour(counts: $0) }, store: store,
            clock: ManualClock(), late: 10, identity: NodeID(bits: 5), readyWithin: readyWithin)
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

    @Test("one that counts is ready when it has counted what the log held, and what is assigned later changes nothing")
    func readyAfterTheStart() async throws {
        let logs = LogsInMemory(2)
        for banner in Int64(1)...8 { try await logs.append(banner, sequence: UInt64(banner)) }
        logs.hold(1, true)
        let fixture = ConsumerFixture(logs, store: store)
        let counts = counts(logs, fixture)
        try await fixture.run { fixture in
            #expect(
                counts.readiness
                    == .notReady(reasons: ["the group of those that count: the partitions are not known yet"]))
            fixture.group.assign([0, 1])
            try await eventually("partition 0 is counted") {
                fixture.consumer.partitions.count == 2 && fixture.consumer.partitions[0].problem == nil
            }
            guard case .notReady(let reasons) = counts.readiness else {
                Issue.record("ready though partition 1 was not read: \(counts.readiness)")
                return
            }
            #expect(
                reasons.count == 1 && reasons[0].hasPrefix("partition 1: the log is read from the last checkpoint on"))
            logs.hold(1, false)
            try await eventually("both are counted") { counts.readiness == .ready }

            fixture.group.assign([0])
            try await fixture.waitUntilCounted([0])
            logs.hold(1, true)
            fixture.group.assign([0, 1])
            try await fixture.waitForProblem(1, "the log is read")
            guard case .counting(let problem) = counts.readiness else {
                Issue.record("a partition that came later changes it: \(counts.readiness)")
                return
            }
            #expect(problem.hasPrefix("partition 1: "))
            logs.hold(1, false)
        }
    }

    @Test("one whose time for the start is over is ready all the same, and says what it lacks")
    func readyWithin() async throws {
        let logs = LogsInMemory(1)
        try await logs.append(1, sequence: 1)
        logs.hold(0, true)
        let fixture = ConsumerFixture(logs, store: store)
        let counts = counts(logs, fixture, readyWithin: .zero)
        try await fixture.run { fixture in
            fixture.group.assign([0])
            try await fixture.waitForProblem(0, "the log is read")
            guard case .counting(let problem) = counts.readiness else {
                Issue.record("\(counts.readiness)")
                return
            }
            #expect(problem.hasPrefix("partition 0: the log is read from the last checkpoint on"))
            logs.hold(0, false)
        }
    }

    @Test("a process that only answers is ready when the aggregators have counted, and at once when it has none to ask")
    func readyToAnswer() async throws {
        let logs = LogsInMemory(2)
        for banner in Int64(1)...8 { try await logs.append(banner, sequence: UInt64(banner)) }
        logs.hold(1, true)
        #expect(counts(logs, nil).readiness == .ready)
        try await ConsumerFixture(logs, store: store).run { fixture in
            let query = counts(logs, nil, asking: counts(logs, fixture))
            let services = ServiceGroup(services: query.services, logger: .silent)
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await services.run() }
                fixture.group.assign([0, 1])
                let reading = "partition 1: the log is read from the last checkpoint on: offset 0 of 0"
                try await eventually("it has asked") { query.readiness == .notReady(reasons: [reading]) }
                logs.hold(1, false)
                try await eventually("an answer lacks nothing") { query.readiness == .ready }
                logs.fail(1, .unavailable("away"))
                try await fixture.waitForProblem(1, "away")
                #expect(query.readiness == .ready)
                await services.triggerGracefulShutdown()
                try await tasks.waitForAll()
            }
        }
    }

    @Test(
        "a process that only answers is ready when what the log held at its start is counted, though the log grows faster"
    )
    func readyToAnswerWithALag() async throws {
        let logs = LogsInMemory(1)
        try await logs.append(1, sequence: 1)
        try await ConsumerFixture(logs, store: store).run { fixture in
            fixture.group.assign([0])
            try await fixture.waitUntilCounted([0])
            logs.grow(0, by: 2, readAtOnce: 1)
            try await fixture.waitForProblem(0, "the end of the log was last reached")
            let query = counts(logs, nil, asking: counts(logs, fixture))
            let services = ServiceGroup(services: query.services, logger: .silent)
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await services.run() }
                try await eventually("what was there is counted") { query.readiness == .ready }
                await services.triggerGracefulShutdown()
                try await tasks.waitForAll()
            }
            logs.grow(0, by: 0)
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
