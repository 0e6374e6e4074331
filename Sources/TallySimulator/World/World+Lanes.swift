// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// The way of plain events in a server with event loops: each sums what comes in a turn, and hands it over at its end.
extension World {
    /// The lane of one of the server's loops, when these events may go by it.
    func lane(for sent: [SentEvent], backfill: Bool, _ intake: Intake) -> (way: JournalWay, lane: Int)? {
        guard case .journal(let way) = intake.way, !way.lanes.isEmpty, !backfill,
            sent.allSatisfy({ $0.id == nil && $0.time == nil })
        else { return nil }
        return (way, Int(random.next() % UInt64(way.lanes.count)))
    }

    func add(_ events: [CountedEvent], _ arrival: Int, to lane: Int, _ way: JournalWay, _ process: ProcessID) {
        let minute = events[0].minute
        if way.lanes[lane].minute != minute { endTurn(lane, way, process) }
        way.lanes[lane].begin(minute)
        // What comes while a slow disk works waits for it.
        let wait = random.chance(5) ? number(1...180_000) : number(0...3)
        if way.turns[lane].isEmpty { plan(.turnEnds(process, lane: lane), in: wait) }
        way.turns[lane].append(arrival)
        for event in events {
            for kind in event.countedKinds { add(event, as: kind, to: lane, way) }
        }
    }

    private func add(_ event: CountedEvent, as kind: Kind, to lane: Int, _ way: JournalWay) {
        guard let kind = way.lanes[lane].kinds.firstIndex(of: kind) else {
            preconditionFailure("a lane has all kinds of this world")
        }
        let count = UInt32(event.count)
        if way.lanes[lane].add(count, banner: event.banner, kind: UInt8(kind)) { return }
        way.lanes[lane].letIn(banner: event.banner, kind: UInt8(kind))
        let isAdded = way.lanes[lane].add(count, banner: event.banner, kind: UInt8(kind))
        auditor.require(isAdded, "a lane does not count whom it has let in")
    }

    func endTurn(_ lane: Int, _ id: ProcessID) {
        guard case .journal(let way) = process(id)?.intake?.way else { return }
        endTurn(lane, way, id)
    }

    private func endTurn(_ lane: Int, _ way: JournalWay, _ process: ProcessID) {
        let arrivals = way.turns[lane]
        if arrivals.isEmpty { return }
        way.turns[lane] = []
        counters[.laneTurns] += 1
        let turn = newID()
        switch way.commits.add(way.lanes[lane].take(), waiter: turn) {
        case .accepted(let begins):
            way.handedOver[turn] = arrivals
            if begins { beginCommit(way, process) }
        case .refused: for arrival in arrivals { refuse(arrival, process) }
        }
    }
}
