// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TallyCore

@Suite("What the store is asked while chunks are missing")
final class MissingChunksKeepingTests {
    private var keeping = StoreKeeping()
    private var aggregator = Aggregator(layout: .minute, checkpoint: .start)

    private func apply(_ offset: Int64, sequence: UInt64, unsettled: [ClosedRange<UInt64>] = []) {
        var chunk = SampleChunks.chunk(sequence)
        chunk.unsettled = SequenceRanges(unsettled)
        _ = aggregator.apply(LogEntry(offset: LogOffset(offset), chunk: chunk))
    }

    private func next() -> StoreKeeping.Action? { keeping.next(for: &aggregator) }

    private var missing: [NodeID: SequenceRanges] { [SampleChunks.node: SequenceRanges(2...2)] }

    private func checkpoint(upTo: Int64, confirmed: [NodeID: SequenceRanges] = [:]) -> Checkpoint {
        var checkpoint = Checkpoint.start
        checkpoint.upTo = LogOffset(upTo)
        checkpoint.confirmedMissing = confirmed
        return checkpoint
    }

    private func lose() {
        apply(1, sequence: 1)
        apply(2, sequence: 3)
    }

    @Test("a flush writes and trims nothing, and asks for the checkpoint once")
    func holds() {
        lose()
        #expect(aggregator.missing == missing)
        #expect(next() == nil, "nothing was requested")
        for stored in [nil, Checkpoint.start, checkpoint(upTo: 0)] {
            keeping.requestFlush()
            #expect(next() == .readCheckpoint)
            #expect(keeping.didRead(checkpoint: stored, for: &aggregator) == nil)
            #expect(next() == nil)
        }
        #expect(aggregator.checkpoint.upTo == .none)
    }

    @Test("a store that does not answer is asked again at the next flush")
    func storeAway() {
        lose()
        keeping.requestFlush()
        _ = next()
        keeping.didFail(for: &aggregator)
        #expect(next() == nil)
        keeping.requestFlush()
        #expect(next() == .readCheckpoint)
    }

    @Test("rows are loaded all the same")
    func loads() {
        aggregator = Aggregator(
            layout: .minute,
            checkpoint: Checkpoint(
                upTo: LogOffset(1), readFrom: LogOffset(2), timeBefore: .epoch, lastMinute: .last, kinds: [.click],
                sequences: [SampleChunks.node: SequenceRanges(1...1)]))
        apply(2, sequence: 3)
        keeping.requestFlush()
        guard case .load = next() else {
            Issue.record("the row is not loaded")
            return
        }
        keeping.didLoad([], into: &aggregator)
        #expect(next() == .readCheckpoint)
    }

    @Test("the chunk that arrives, and a confirmation in the store, let the flush go on", arguments: [true, false])
    func goesOn(arrives: Bool) throws {
        lose()
        keeping.requestFlush()
        if arrives {
            apply(3, sequence: 2, unsettled: [1...1])
        } else {
            #expect(next() == .readCheckpoint)
            let confirmed = checkpoint(upTo: 0, confirmed: missing)
            #expect(keeping.didRead(checkpoint: confirmed, for: &aggregator) == nil)
        }
        guard case .merge = next() else {
            Issue.record("the rows are not written")
            return
        }
        keeping.didWrite(for: &aggregator)
        guard case .save(let saved) = next() else {
            Issue.record("the checkpoint is not saved")
            return
        }
        #expect(saved.confirmedMissing == (arrives ? [:] : missing), "a confirmation is never forgotten")
        keeping.didWrite(for: &aggregator)
        #expect(next() == .trim(before: LogOffset(arrives ? 4 : 3)))
    }

    @Test("where another server has counted further, nothing is written any more")
    func overtaken() {
        lose()
        keeping.requestFlush()
        _ = next()
        let upTo = keeping.didRead(checkpoint: checkpoint(upTo: 5, confirmed: missing), for: &aggregator)
        #expect(upTo == LogOffset(5))
        #expect(next() == nil)
    }

    @Test("a flush on its way is given up before its checkpoint when a chunk is found to be missing")
    func duringAFlush() {
        apply(1, sequence: 1)
        keeping.requestFlush()
        _ = next()
        apply(2, sequence: 3)
        keeping.didWrite(for: &aggregator)
        #expect(next() == .readCheckpoint)
        #expect(keeping.didRead(checkpoint: nil, for: &aggregator) == nil)
        #expect(next() == nil)
        #expect(aggregator.checkpoint.upTo == .none)
    }
}
