// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TallyCore
@testable import TallyServer

@Suite("A journal that lacks chunks")
struct MissingChunksOverNodeTests {
    private static let node = NodeID(bits: 1)

    private func chunk(_ sequence: UInt64) -> Chunk {
        var chunk = SampleChunks.chunk(sequence, of: Self.node)
        chunk.unsettled = SequenceRanges()
        return chunk
    }

    @Test("is counted on, says what it lacks, and stores nothing until the loss is confirmed")
    func holds() async throws {
        let fixture = NodeFixture()
        _ = try await fixture.log.append([chunk(1), chunk(4)])
        try await fixture.run(flushAtEnd: false) { node in
            guard case .counting(let problem) = node.readiness else {
                Issue.record("nothing is said: \(node.readiness)")
                return
            }
            #expect(problem.contains("\(Self.node):2-3"))
            #expect(node.status.missing == [Self.node: SequenceRanges(2...3)])
            let registry = MetricsRegistry()
            node.report(to: registry)
            #expect(registry.prometheusText.contains("tally_log_missing_chunks{partition=\"0\"} 2"))
            _ = try await node.count(banner: 7)
            #expect(try await node.total(banner: 7) == 1)
            await node.keeper.flush()
            #expect(try await fixture.store.logs().isEmpty)

            var checkpoint = Checkpoint.start
            checkpoint.confirmedMissing = [Self.node: SequenceRanges(2...3)]
            try await fixture.store.save(checkpoint, of: fixture.log.id)
            await node.keeper.flush()
            #expect(node.readiness == .ready)
            #expect(node.status.stored == LogOffset(3))
        }
        #expect(try await fixture.store.checkpoint(of: fixture.log.id)?.confirmedMissing.isEmpty == false)
    }

    @Test("asks to be started again when the store has counted further")
    func overtaken() async throws {
        let fixture = NodeFixture()
        _ = try await fixture.log.append([chunk(1), chunk(4)])
        try await fixture.run(flushAtEnd: false) { node in
            var checkpoint = Checkpoint.start
            checkpoint.upTo = LogOffset(2)
            try await fixture.store.save(checkpoint, of: fixture.log.id)
            await node.keeper.flush()
            #expect(node.keeper.health.problem?.contains("start this one again") == true)
        }
    }

    @Test("explains a hole behind offsets that a repair has skipped")
    func repaired() async throws {
        let log = MemoryLog(id: LogID("memory")!)
        _ = try await log.append([chunk(1), chunk(2), chunk(3)])
        let skipping = SkippingLog(inner: log, skipped: LogOffset(2))
        let fixture = NodeFixture(log: skipping)
        try await fixture.run { node in
            #expect(node.readiness == .ready)
            await node.keeper.flush()
        }
        #expect(
            try await fixture.store.checkpoint(of: log.id)?.confirmedMissing == [Self.node: SequenceRanges(2...2)])
    }
}

/// A log in which nothing stands at one offset.
private struct SkippingLog: EventLog {
    let inner: MemoryLog
    let skipped: LogOffset

    var id: LogID { inner.id }
    var durability: Durability { inner.durability }

    func append(_ chunks: [Chunk]) async throws(LogError) -> [LogOffset] { try await inner.append(chunks) }

    func read(from offset: LogOffset, maximumBytes: Int) async throws(LogError) -> [LogEntry] {
        try await inner.read(from: offset, maximumBytes: maximumBytes).filter { $0.offset != skipped }
    }

    func end() async throws(LogError) -> LogOffset { try await inner.end() }
    func trim(before offset: LogOffset) async throws(LogError) { try await inner.trim(before: offset) }
}
