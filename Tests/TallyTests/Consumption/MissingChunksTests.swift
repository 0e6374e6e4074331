// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TallyCore
@testable import TallyServer

@Suite("A partition in whose log chunks are missing", .timeLimit(.minutes(5)))
struct MissingChunksTests {
    private let store = MemoryStore(layout: .minute)
    private let logs = LogsInMemory(1)
    private static let node = NodeID(process: SampleChunks.node, partition: 0)
    private static let missing = [node: SequenceRanges(2...2)]

    /// The next chunk of the server, which asserts that the log has all before it.
    private func append(_ sequence: UInt64) async throws {
        var chunk = SampleChunks.chunk(sequence, of: Self.node)
        // A sample's count is its sequence.
        chunk.deltas[0].count = 1
        chunk.unsettled = SequenceRanges()
        _ = try await logs.log(of: 0).append([chunk])
    }

    private func stored() async throws -> [Int64] {
        try await store.totals(in: .everything, with: []).map(\.count)
    }

    private func waitUntilMissing(_ fixture: ConsumerFixture<LogsInMemory>) async throws {
        try await eventually("the chunk is named") {
            fixture.consumer.partitions.first?.progress?.missing == Self.missing
        }
    }

    @Test("is counted and named, but nothing of it is stored until the chunk arrives")
    func holdsUntilItArrives() async throws {
        try await append(1)
        try await ConsumerFixture(logs, store: store).run { fixture in
            fixture.group.assign([0])
            try await fixture.waitUntilCounted([0])
            try await append(3)
            try await waitUntilMissing(fixture)
            try await fixture.waitUntilCounted([0])
            await fixture.consumer.flush()
            #expect(try await store.logs().isEmpty)
            // Another problem may stand before it: the log is read again, or was not read for a while.
            try await eventually("it is named with the command") {
                fixture.consumer.problems.contains {
                    $0.contains("\(Self.node):2") && $0.contains("tally log confirm --partition 0")
                }
            }
            #expect(fixture.consumer.storeHealth.problem == nil)

            try await append(2)
            try await eventually("nothing is missing") { fixture.consumer.problems.isEmpty }
            await fixture.consumer.flush()
            #expect(try await stored() == [3])
        }
    }

    @Test("is begun again once: another reading may find the chunk")
    func readsAgain() async throws {
        for sequence in UInt64(1)...3 { try await append(sequence) }
        logs.hide(0, [2], readings: 1)
        try await ConsumerFixture(logs, store: store).run { fixture in
            fixture.group.assign([0])
            try await fixture.waitUntilCounted([0])
            #expect(fixture.consumer.problems.isEmpty)
            await fixture.consumer.flush()
        }
        #expect(try await stored() == [3])
    }

    @Test("goes on when an operator has confirmed the loss, and no later checkpoint forgets it")
    func confirmed() async throws {
        try await append(1)
        try await append(3)
        try await ConsumerFixture(logs, store: store).run { fixture in
            fixture.group.assign([0])
            try await waitUntilMissing(fixture)
            var checkpoint = Checkpoint.start
            checkpoint.confirmedMissing = Self.missing
            try await store.save(checkpoint, of: logs.ids[0])
            await fixture.consumer.flush()
            #expect(fixture.consumer.problems.isEmpty)
            #expect(try await stored() == [2])
        }
        try await append(4)
        try await ConsumerFixture(logs, store: store).run { fixture in
            fixture.group.assign([0])
            try await fixture.waitUntilCounted([0])
            #expect(fixture.consumer.problems.isEmpty)
        }
        #expect(try await store.checkpoint(of: logs.ids[0])?.confirmedMissing == Self.missing)
    }

    @Test("is begun again from the store when another server had the chunk and counted further")
    func overtaken() async throws {
        for sequence in UInt64(1)...3 { try await append(sequence) }
        let hiding = logs.forAnotherProcess()
        hiding.hide(0, [2], readings: .max)
        try await ConsumerFixture(hiding, store: store).run { late in
            late.group.assign([0])
            try await waitUntilMissing(late)
            try await ConsumerFixture(logs, store: store).run { owner in
                owner.group.assign([0])
                try await owner.waitUntilCounted([0])
                await owner.consumer.flush()
            }
            #expect(try await stored() == [3])
            await late.consumer.flush()
            try await eventually("it goes on from the store") {
                late.consumer.problems.isEmpty && late.consumer.partitions.first?.progress?.stored == LogOffset(3)
            }
        }
        #expect(try await stored() == [3])
    }
}
