// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TallyCore

@Suite("What the store and the log are asked")
final class StoreKeepingTests {
    private static let banner = BannerID(1)!
    private var keeping = StoreKeeping()
    private var aggregator = Aggregator(layout: .minute, checkpoint: .start)

    private func apply(_ offset: Int64, minute: Int64 = 100, rank: UInt8? = nil) {
        let delta = Delta(banner: Self.banner, kind: 0, minute: Minute(sinceEpoch: minute)!, count: 2)
        let chunk = Chunk(
            node: SampleChunks.node, sequence: UInt64(offset), time: Timestamp(milliseconds: 6_000_000),
            kinds: [.click],
            deltas: [delta], identified: [], sightings: rank.map { [sighting($0)] } ?? [])
        _ = aggregator.apply(LogEntry(offset: LogOffset(offset), chunk: chunk))
    }

    private func sighting(_ rank: UInt8) -> Sighting {
        Sighting(Sighting.Mark(register: 9, rank: rank), banner: Self.banner, day: .first)
    }

    private func next() -> StoreKeeping.Action? { keeping.next(for: &aggregator) }

    private func row(minute: Int64, count: Int64, upTo: Int64) -> Row {
        let key = RowKey(banner: Self.banner, kind: .click, start: Minute(sinceEpoch: minute)!)
        return Row(key: key, counts: .minute(count), upTo: LogOffset(upTo))
    }

    /// Flushes what there is, without a failure.
    private func flush() {
        keeping.requestFlush()
        while let action = next() {
            switch action {
            case .load: keeping.didLoad([], into: &aggregator)
            case .merge, .note, .save: keeping.didWrite(for: &aggregator)
            case .readCheckpoint: Issue.record("nothing is missing")
            case .trim: keeping.didTrim()
            }
        }
    }

    @Test("rows, then the checkpoint, and only then the log may drop them")
    func order() throws {
        #expect(next() == nil)
        apply(1)
        #expect(next() == nil, "nothing was requested")
        keeping.requestFlush()
        #expect(next() == .merge([row(minute: 100, count: 2, upTo: 1)]))
        keeping.didWrite(for: &aggregator)
        #expect(aggregator.checkpoint.upTo == .none)
        guard case .save(let checkpoint) = next() else {
            Issue.record("the checkpoint does not follow the rows")
            return
        }
        #expect(checkpoint.upTo == LogOffset(1))
        keeping.didWrite(for: &aggregator)
        #expect(aggregator.checkpoint == checkpoint)
        #expect(next() == .trim(before: LogOffset(2)))
        keeping.didTrim()
        #expect(next() == nil)
    }

    @Test("visitors are stored before the checkpoint, and one who ranks higher meanwhile is not forgotten")
    func visitors() {
        apply(1, rank: 2)
        keeping.requestFlush()
        _ = next()
        keeping.didWrite(for: &aggregator)
        #expect(next() == .note([sighting(2)]))
        keeping.didFail(for: &aggregator)
        keeping.requestFlush()
        _ = next()
        apply(2, rank: 4)
        keeping.didWrite(for: &aggregator)
        #expect(next() == .note([sighting(2)]))
        keeping.didWrite(for: &aggregator)
        guard case .save(let checkpoint) = next() else {
            Issue.record("the checkpoint does not follow the visitors")
            return
        }
        #expect(checkpoint.upTo == LogOffset(1))
        keeping.didWrite(for: &aggregator)
        _ = next()
        keeping.didTrim()
        #expect(aggregator.sightings(of: [Self.banner], in: Day.first...Day.first) == [sighting(4)])
        flush()
        #expect(aggregator.sightingCount == 0)
    }

    @Test("what comes during a flush is not part of it")
    func eventsDuringAFlush() {
        apply(1)
        keeping.requestFlush()
        _ = next()
        apply(2)
        keeping.didWrite(for: &aggregator)
        _ = next()
        keeping.didWrite(for: &aggregator)
        #expect(aggregator.checkpoint.upTo == LogOffset(1))
        #expect(next() == .trim(before: LogOffset(2)))
        keeping.didTrim()
        keeping.requestFlush()
        #expect(next() == .merge([row(minute: 100, count: 4, upTo: 2)]))
    }

    @Test("a row that is not held is loaded before anything is flushed")
    func loadsFirst() {
        apply(1)
        flush()
        apply(2, minute: 50)
        keeping.requestFlush()
        let key = RowKey(banner: Self.banner, kind: .click, start: Minute(sinceEpoch: 50)!)
        #expect(next() == .load([key]))
        keeping.didLoad([row(minute: 50, count: 7, upTo: 1)], into: &aggregator)
        #expect(next() == .merge([row(minute: 50, count: 9, upTo: 2)]))
    }

    @Test("after a failure the same is asked again, rows as they are then", arguments: [1, 2])
    func failures(step: Int) {
        apply(1)
        keeping.requestFlush()
        _ = next()
        if step == 2 {
            keeping.didWrite(for: &aggregator)
            _ = next()
        }
        keeping.didFail(for: &aggregator)
        #expect(next() == nil, "a flush that failed has to be requested again")
        apply(2)
        keeping.requestFlush()
        #expect(next() == .merge([row(minute: 100, count: 4, upTo: 2)]))
    }

    @Test("rows that could not be loaded are asked for again")
    func failedLoad() {
        apply(1)
        flush()
        apply(2, minute: 50)
        let first = next()
        keeping.didFail(for: &aggregator)
        #expect(first != nil)
        #expect(next() == first)
    }
}
