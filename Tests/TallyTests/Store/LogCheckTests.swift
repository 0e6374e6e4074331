// SPDX-License-Identifier: Apache-2.0

import TallyCore
import Testing

@Suite("A store is compared with its log")
struct LogCheckTests {
    @Test("rows that are the sums of a whole log are sound", arguments: Layout.allCases)
    func sound(_ layout: Layout) {
        let check = read([chunk(1, [(1, 0, 3)]), chunk(2, [(1, 0, 2), (1, 1, 1)])], layout)
        #expect(check.isWhole && check.chunks == 2)
        var rows = [StoreTest.row(1, minute: 0, count: 5, upTo: 2, layout)]
        if layout == .hour {
            rows[0].counts[1] = 1
        } else {
            rows.append(StoreTest.row(1, minute: 1, count: 1, upTo: 2, layout))
        }
        #expect(check.contradictions(at: check.keys, in: rows).isEmpty)
        #expect(check.unknown(rows).isEmpty)
    }

    @Test("too little, too much, nothing at all, and what the log never had, are named", arguments: Layout.allCases)
    func contradictions(_ layout: Layout) {
        let check = read([chunk(1, [(1, 0, 3), (2, 60, 3), (3, 0, 3)])], layout)
        let rows = [
            StoreTest.row(1, minute: 0, count: 2, upTo: 1, layout),
            StoreTest.row(2, minute: 60, count: 4, upTo: 1, layout),
            StoreTest.row(9, minute: 0, count: 1, upTo: 1, layout),
        ]
        let found = check.contradictions(at: check.keys, in: rows) + check.unknown(rows)
        #expect(
            found.map(\.description) == [
                "banner 1, click, 2024-12-12T10:00:00Z: 2 in the store, at least 3 in the log",
                "banner 2, click, 2024-12-12T11:00:00Z: 4 in the store, at most 3 in the log",
                "banner 3, click, 2024-12-12T10:00:00Z: 0 in the store, at least 3 in the log",
                "banner 9, click, 2024-12-12T10:00:00Z: 1 in the store, nothing in the log",
            ])
    }

    @Test("a row that stayed behind its log is named")
    func behind() {
        let check = read([chunk(1, [(1, 0, 3)]), chunk(2, [(1, 0, 1)])], .minute)
        let found = check.contradictions(at: check.keys, in: [StoreTest.row(1, minute: 0, count: 4, upTo: 1, .minute)])
        #expect(found.map(\.what) == ["counted up to offset 1, and the log has more of it at 2"])
    }

    @Test("a log that dropped its beginning says only what must be there")
    func trimmed() {
        let check = read([chunk(5, [(1, 0, 3)])], .minute)
        #expect(!check.isWhole)
        let more = [
            StoreTest.row(1, minute: 0, count: 100, upTo: 5, .minute),
            StoreTest.row(9, minute: 0, count: 1, upTo: 1, .minute),
        ]
        #expect(check.contradictions(at: check.keys, in: more).isEmpty)
        #expect(check.unknown(more).isEmpty)
        #expect(check.contradictions(at: check.keys, in: []).count == 1)
    }

    @Test("an event with an id may count or not, and a chunk that came twice counts once")
    func uncertain() {
        var chunk = chunk(1, [(1, 0, 1)]).chunk
        let delta = Delta(banner: StoreTest.banner(1), kind: 0, minute: StoreTest.minute(0), count: 5)
        chunk.identified = [IdentifiedDelta(id: EventID(bits: 3), delta: delta)]
        let entries = [1, 2].map { LogEntry(offset: LogOffset($0), chunk: chunk) }
        let check = read(entries, .minute)
        for (count, isSound) in [(0, false), (1, true), (6, true), (7, false)] as [(Int64, Bool)] {
            let row = StoreTest.row(1, minute: 0, count: count, upTo: 1, .minute)
            #expect(check.contradictions(at: check.keys, in: [row]).isEmpty == isSound, "\(count)")
        }
    }

    @Test("chunks beyond the checkpoint say nothing, and may be in a row")
    func beyondCheckpoint() {
        let check = read([chunk(1, [(1, 0, 1)]), chunk(30, [(1, 0, 1), (2, 0, 1)])], .minute)
        #expect(check.chunks == 1)
        let rows = [StoreTest.row(1, minute: 0, count: 2, upTo: 30, .minute)]
        #expect(check.contradictions(at: check.keys, in: rows).isEmpty)
    }

    @Test("behind the horizon the store has hours, and behind that nothing", arguments: Layout.allCases)
    func horizon(_ layout: Layout) {
        let horizon = Horizon(collapsed: StoreTest.minute(120), dropped: StoreTest.minute(60))
        let log = [chunk(1, [(1, 7, 9), (1, 61, 3), (1, 70, 4), (1, 121, 5)]), chunk(2, [(1, 61, 1)])]
        let check = read(log, layout, horizon)
        let minutes = [(61, 4, 2), (70, 4, 1)].map { minute, count, upTo in
            StoreTest.row(1, minute: minute, count: count, upTo: upTo, layout)
        }
        let new = StoreTest.row(1, minute: 121, count: 5, upTo: 1, layout)
        let hour = StoreTest.row(1, minute: 60, count: 8, upTo: 2, layout)
        #expect(check.contradictions(at: check.keys, in: [hour, new]).isEmpty)
        #expect(check.unknown([hour, new]).isEmpty)
        let places = check.keys.flatMap(check.places)
        #expect(places.contains(hour.key) && places.contains(new.key))
        if layout == .minute {
            #expect(minutes.allSatisfy { places.contains($0.key) })
            #expect(check.contradictions(at: check.keys, in: minutes + [new]).isEmpty, "an expiry that was cut off")
        }
        let less = StoreTest.row(1, minute: 60, count: 7, upTo: 2, layout)
        #expect(
            check.contradictions(at: check.keys, in: [less, new]).map(\.description) == [
                "banner 1, click, 2024-12-12T11:00:00Z: 7 in the store, at least 8 in the log"
            ])
        let other = StoreTest.row(2, minute: 60, count: 1, upTo: 1, layout)
        #expect(check.unknown([hour, new, other]).count == 1)
    }

    private func read(_ entries: [LogEntry], _ layout: Layout, _ horizon: Horizon = .none) -> LogCheck {
        var check = LogCheck(
            log: StoreTest.log, layout: layout, checkpoint: StoreTest.checkpoint(upTo: 20), horizon: horizon)
        for entry in entries { check.read(entry) }
        return check
    }

    private func chunk(_ offset: Int64, _ clicks: [(banner: Int64, minute: Int64, count: Int64)]) -> LogEntry {
        let deltas = clicks.map {
            Delta(banner: StoreTest.banner($0.banner), kind: 0, minute: StoreTest.minute($0.minute), count: $0.count)
        }
        let chunk = Chunk(
            node: NodeID(bits: 1), sequence: UInt64(offset), time: Timestamp(milliseconds: offset), kinds: [.click],
            deltas: deltas, identified: [])
        return LogEntry(offset: LogOffset(offset), chunk: chunk)
    }
}
