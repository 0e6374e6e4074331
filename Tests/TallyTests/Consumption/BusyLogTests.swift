// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TallyCore
@testable import TallyServer

@Suite("A log that grows as fast as it is read", .timeLimit(.minutes(5)))
struct BusyLogTests {
    private let store = MemoryStore(layout: .minute)

    @Test("counting begins, reaches ends, and is stored, though no read ever returns nothing")
    func neverAtRest() async throws {
        let logs = LogsInMemory(1)
        try await logs.append(1, sequence: 1)
        logs.grow(0, by: 1)
        let fixture = ConsumerFixture(logs, store: store)
        try await fixture.run { fixture in
            fixture.group.assign([0])
            try await eventually("what the log held at the start is counted") {
                fixture.consumer.partitions.first?.progress != nil && fixture.consumer.uncountedSinceStart.isEmpty
            }
            await fixture.consumer.flush()
            #expect(try await store.checkpoint(of: logs.ids[0])?.upTo ?? .none >= LogOffset(1))
            // Without a question for the end it would be behind for good.
            let begin = ContinuousClock.now
            try await eventually("it is up to date after three seconds") {
                begin.duration(to: .now) > .seconds(3)
                    && fixture.consumer.views(in: .everything).allSatisfy { $0.behind == nil }
            }
        }
    }

    /// Runs the body when a partition of one chunk is counted up to its end.
    private func count(
        _ body: @Sendable (ConsumerFixture<LogsInMemory>, LogsInMemory) async throws -> Void
    ) async throws {
        let logs = LogsInMemory(1)
        try await logs.append(1, sequence: 1)
        try await ConsumerFixture(logs, store: store).run { fixture in
            fixture.group.assign([0])
            try await fixture.waitUntilCounted([0])
            try await body(fixture, logs)
        }
    }

    @Test("a problem that is over is forgotten")
    func problemIsOver() async throws {
        try await count { fixture, logs in
            logs.grow(0, by: 1)
            logs.fail(0, .unavailable("cut off"))
            try await fixture.waitForProblem(0, "cut off")
            logs.fail(0, nil)
            try await eventually("the partition is counted") { fixture.consumer.problems.isEmpty }
        }
    }

    @Test("a reader that falls behind says so, and stores what it has counted")
    func slowReader() async throws {
        try await count { fixture, logs in
            logs.grow(0, by: 2, readAtOnce: 1)
            try await eventually("its answers say so") {
                let behind = fixture.consumer.views(in: .everything).first?.behind
                return behind?.hasPrefix("the end of the log was last reached") == true
            }
            await fixture.consumer.flush()
            #expect(try await store.checkpoint(of: logs.ids[0])?.upTo ?? .none > LogOffset(1))
            logs.grow(0, by: 0)
            try await fixture.waitUntilCounted([0])
        }
    }

    @Test("another log under an old name is refused, however long it is")
    func otherLog() async throws {
        let logs = LogsInMemory(1)
        logs.grow(0, by: 0, readAtOnce: 1)
        let log = logs.log(of: 0)
        _ = try await log.append(SampleChunks.chunks(1...4))
        var checkpoint = Checkpoint.start
        (checkpoint.upTo, checkpoint.readFrom) = (LogOffset(2), LogOffset(1))
        checkpoint.sequences = [SampleChunks.other: SequenceRanges([1...2])!]
        try await store.save(checkpoint, of: log.id)
        let error = StartError.otherLog(log: log.id, offset: LogOffset(1), checkpoint: LogOffset(2))
        await #expect(throws: error) {
            _ = try await Replay.run(
                log: log, store: store, configuration: Aggregator.Configuration(), progress: { _, _ in },
                noteBanners: { _ in })
        }
    }
}
