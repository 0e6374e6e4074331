// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TallyCore

@Suite("An invalid event counts, and counts as invalid")
struct InvalidEventTests {
    private static let minute = Minute(sinceEpoch: 28_899_960)!
    private static let banner = BannerID(7)!
    private static let bot = Kind.click.invalid(.bot)

    private func event(
        _ count: Int64 = 1, kind: Kind = .click, id: UInt64? = nil, invalid: InvalidReason? = nil
    ) -> CountedEvent {
        CountedEvent(
            banner: Self.banner, kind: kind, minute: Self.minute, count: count,
            id: id.map { EventID(bits: UInt128($0)) }, invalid: invalid)
    }

    private func chunk(_ events: [CountedEvent], sequence: UInt64 = 1) -> Chunk {
        var builder = ChunkBuilder()
        for event in events {
            let isAdded = builder.add(event)
            #expect(isAdded)
        }
        return builder.chunk(
            node: SampleChunks.node, sequence: sequence, time: Timestamp(milliseconds: 1_733_997_600_000))
    }

    private func counts(_ chunks: [Chunk], in aggregator: inout Aggregator) -> [Kind: Int64] {
        for chunk in chunks {
            _ = aggregator.apply(LogEntry(offset: LogOffset(aggregator.position.value + 1), chunk: chunk))
        }
        let rows = aggregator.unflushed(in: .everything).map { $0.merged(with: nil, layout: .minute) }
        return Dictionary(uniqueKeysWithValues: rows.map { ($0.key.kind, $0.counts.total) })
    }

    private func counts(_ chunks: [Chunk]) -> [Kind: Int64] {
        var aggregator = Aggregator(layout: .minute, checkpoint: .start)
        return counts(chunks, in: &aggregator)
    }

    @Test("in the same chunk, under a kind of its own")
    func sameChunk() {
        let chunk = chunk([event(3), event(2, invalid: .bot), event(invalid: .burst)])
        #expect(chunk.kinds.map(\.name) == ["click", "click.bot", "click.burst"])
        #expect(chunk.deltas.map(\.count) == [6, 2, 1])
        #expect(chunk.eventCount == 6)
        #expect(counts([chunk]) == [.click: 6, Self.bot: 2, Kind.click.invalid(.burst): 1])
    }

    @Test("both or neither, when a chunk is full")
    func full() {
        var builder = ChunkBuilder()
        for number in 1..<Limits.chunkEntries {
            let isAdded = builder.add(event(id: UInt64(number)))
            if !isAdded { Issue.record("there is room for \(number)") }
        }
        let (both, one) = (builder.add(event(invalid: .bot)), builder.add(event()))
        #expect(!both && one)
        #expect(builder.entryCount == Limits.chunkEntries)
    }

    @Test("both or neither, when the kinds of a chunk are as many as one may have")
    func kindsAreFull() {
        var builder = ChunkBuilder()
        for number in 1..<Limits.kinds {
            let isAdded = builder.add(event(kind: Kind("kind_\(number)")!))
            #expect(isAdded)
        }
        let both = builder.add(event(invalid: .bot))
        let known = builder.add(event(kind: Kind("kind_1")!, invalid: .bot))
        let one = builder.add(event())
        #expect(!both && known && !one)
        let kinds = builder.chunk(node: SampleChunks.node, sequence: 1, time: .epoch).kinds
        #expect(kinds.count == Limits.kinds && kinds.contains(Kind("kind_1")!.invalid(.bot)))
    }

    @Test("once, however often its id comes, and never as invalid when it counted as valid", arguments: [true, false])
    func repeated(firstIsInvalid: Bool) {
        let first = event(id: 1, invalid: firstIsInvalid ? .bot : nil)
        let second = event(id: 1, invalid: firstIsInvalid ? nil : .burst)
        let expected: [Kind: Int64] = firstIsInvalid ? [.click: 1, Self.bot: 1] : [.click: 1]
        #expect(counts([chunk([first, second])]) == expected)
        #expect(counts([chunk([first]), chunk([second], sequence: 2)]) == expected)
    }

    @Test("it is told what was invalid, and that is not counted as more events")
    func told() {
        var aggregator = Aggregator(layout: .minute, checkpoint: .start)
        let chunk = chunk([
            event(3), event(2, invalid: .bot), event(id: 1, invalid: .burst), event(id: 1, invalid: .burst),
        ])
        let applied = aggregator.apply(LogEntry(offset: LogOffset(1), chunk: chunk))
        #expect(applied.counted == 6)
        #expect(applied.invalid[.bot] == 2 && applied.invalid[.burst] == 1)
        #expect(applied.duplicateEvents == 1)
    }

    @Test("a lane keeps room for both")
    func lane() {
        var lane = Lane(number: 0, kinds: Kind.click.withInvalid)
        for number in 1...Limits.chunkEntries where !lane.isFull {
            let banner = BannerID(Int64(number))!
            lane.letIn(banner: banner, kind: 0)
            _ = lane.add(banner: banner, kind: 0)
        }
        #expect(lane.take().entryCount == Limits.chunkEntries - 1)
    }
}
