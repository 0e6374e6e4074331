// SPDX-License-Identifier: Apache-2.0

import TallySimulator
import Testing

@testable import TallyCore

@Suite("The sums of an event loop")
struct LaneTests {
    private let minute = Minute(unixSeconds: 1_733_997_600)!
    private let kinds = [Kind.click, Kind.impression]

    private func lane(_ number: Int = 0, seed: UInt64 = 0) -> Lane {
        var lane = Lane(number: number, kinds: kinds, seed: seed)
        lane.begin(minute)
        return lane
    }

    /// Lets in whoever isn't yet.
    private func add(_ banner: Int64, _ kind: UInt8 = 0, _ count: UInt32 = 1, to lane: inout Lane) {
        let banner = BannerID(banner)!
        if lane.add(count, banner: banner, kind: kind) { return }
        lane.letIn(banner: banner, kind: kind)
        let isAdded = lane.add(count, banner: banner, kind: kind)
        #expect(isAdded)
    }

    private func chunk(_ sums: LaneSums) -> Chunk {
        sums.chunk(node: SampleChunks.node, sequence: 1, time: .epoch)
    }

    private func texts(_ chunk: Chunk) -> [String] {
        chunk.deltas.map { "\(chunk.kinds[Int($0.kind)]) \($0.banner) \($0.count)" }
    }

    @Test func `sums by banner and kind, and takes them once`() {
        var lane = lane()
        #expect(lane.isEmpty)
        for banner in [5, 3, 5, 5] as [Int64] { add(banner, to: &lane) }
        add(3, 1, 4, to: &lane)
        #expect(!lane.isEmpty)
        let sums = lane.take()
        #expect(lane.isEmpty)
        #expect(sums.entryCount == 3)
        #expect(sums.earliest == minute)
        #expect(texts(chunk(sums)) == ["click 3 1", "click 5 3", "impression 3 4"])
        add(5, to: &lane)
        let next = lane.take()
        #expect(texts(chunk(next)) == ["click 5 1"])
    }

    @Test func `a counter is let in for the minute, and not longer`() {
        var lane = lane()
        let banner = BannerID(7)!
        #expect(lane.add(banner: banner, kind: 0) == false)
        lane.letIn(banner: banner, kind: 0)
        #expect(lane.add(banner: banner, kind: 0) == true)
        #expect(lane.add(banner: banner, kind: 1) == false)
        _ = lane.take()
        lane.begin(minute)
        #expect(lane.add(banner: banner, kind: 0) == true)
        _ = lane.take()
        lane.begin(minute.advanced(by: 1))
        #expect(lane.letIn == 0)
        #expect(lane.add(banner: banner, kind: 0) == false)
        lane.letIn(banner: banner, kind: 0)
        lane.forget()
        #expect(lane.add(banner: banner, kind: 0) == false)
    }

    @Test func `a chunk names only the kinds that it counts`() {
        var lane = lane()
        add(1, 1, to: &lane)
        let chunk = chunk(lane.take())
        #expect(chunk.kinds == [.impression])
        #expect(chunk.deltas.map(\.kind) == [0])
    }

    @Test func `memory that one minute needed is given back later`() {
        var lane = lane()
        for banner in 1...10_000 as ClosedRange<Int64> { add(banner, to: &lane) }
        _ = lane.take()
        for step in 1...20 as ClosedRange<Int64> {
            lane.begin(minute.advanced(by: step))
            add(step, to: &lane)
            let sums = lane.take()
            #expect(texts(chunk(sums)) == ["click \(step) 1"])
        }
    }

    @Test func `so many epochs pass that their numbers begin again`() {
        var lane = lane()
        let banner = BannerID(7)!
        for step in 0..<(1 << 17) as Range<Int64> {
            lane.begin(minute.advanced(by: step & 1))
            lane.forget()
            #expect(lane.add(banner: banner, kind: 0) == false)
            lane.letIn(banner: banner, kind: 0)
        }
        #expect(lane.letIn == 1)
    }

    @Test func `a visitor is told of until the log has him, and again when he ranks higher`() {
        var lane = lane()
        let banner = BannerID(1)!
        func note(_ rank: UInt8) -> [UInt8] {
            add(1, to: &lane)
            lane.note(Sighting.Mark(register: 5, rank: rank), banner: banner)
            let sums = lane.take()
            if rank > 1 { lane.didCommit(sums.sightings) }
            return chunk(sums).sightings.map(\.rank)
        }
        #expect(note(1) == [1])
        #expect(note(1) == [1], "nobody has said that it is in the log")
        #expect(note(3) == [3])
        #expect(note(3) == [])
        #expect(note(2) == [])
        #expect(note(4) == [4])
        lane.begin(minute.advanced(by: 1_440))
        #expect(note(4) == [4], "a day later he is new")
    }

    @Test("lanes give the same rows as single events", arguments: 1...40 as ClosedRange<UInt64>)
    func sameAsSingleEvents(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var lanes = (0..<Int.random(in: 1...3, using: &generator)).map { lane($0, seed: generator.next()) }
        var byLanes = GroupCommit<Int>(node: SampleChunks.node, lastSequence: 0, logTime: .epoch, late: 10_000_000)
        var bySingles = byLanes
        let banners = Int64.random(in: 1...2_000, using: &generator)
        for turn in 0..<30 {
            let number = Int.random(in: 0..<lanes.count, using: &generator)
            lanes[number].begin(minute.advanced(by: Int64(turn / 10)))
            for _ in 0..<Int.random(in: 1...300, using: &generator) {
                let banner = Int64.random(in: 1...banners, using: &generator)
                let kind = UInt8.random(in: 0...1, using: &generator)
                let count = UInt32.random(in: 1...3, using: &generator)
                add(banner, kind, count, to: &lanes[number])
                let visitor = Sighting.Mark(bits: generator.next())
                lanes[number].note(visitor, banner: BannerID(banner)!)
                let event = CountedEvent(
                    banner: BannerID(banner)!, kind: kinds[Int(kind)], minute: lanes[number].minute,
                    count: Int64(count), visitor: visitor)
                _ = bySingles.add([event], waiter: 0)
            }
            _ = byLanes.add(lanes[number].take(), waiter: turn)
        }
        let chunks = byLanes.begin(at: Timestamp(milliseconds: 1))?.chunks ?? []
        #expect(chunks.count <= lanes.count, "seed \(seed): one chunk for each lane")
        for chunk in chunks {
            let encoded = chunk.encoded()
            #expect((try? Chunk(decoding: encoded[...])) == chunk, "seed \(seed): a chunk is in order")
        }
        let singles = bySingles.begin(at: Timestamp(milliseconds: 1))?.chunks ?? []
        #expect(rows(of: chunks) == rows(of: singles), "seed \(seed)")
        #expect(chunks.flatMap(\.sightings).byPlace == singles.flatMap(\.sightings).byPlace, "seed \(seed)")
        #expect(!singles.isEmpty)
    }

    private func rows(of chunks: [Chunk]) -> [RowKey: RowCounts] {
        var aggregator = Aggregator(layout: .minute, checkpoint: .start)
        for (index, chunk) in chunks.enumerated() {
            _ = aggregator.apply(LogEntry(offset: LogOffset(Int64(index + 1)), chunk: chunk))
        }
        let rows = aggregator.unflushed(in: .everything).map { $0.merged(with: nil, layout: .minute) }
        return Dictionary(uniqueKeysWithValues: rows.map { ($0.key, $0.counts) })
    }
}
