// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// The way of plain events in a server with event loops: each sums what comes in a turn, and hands it over at its end.
extension World {
    /// The lane of one of the server's loops, when these events may go by it.
    func lane(for sent: [SentEvent], backfill: Bool, _ intake: Intake) -> Int? {
        guard !intake.lanes.isEmpty, !backfill, sent.allSatisfy({ $0.id == nil && $0.time == nil }) else { return nil }
        return Int(random.next() % UInt64(intake.lanes.count))
    }

    func add(_ events: [CountedEvent], _ arrival: Int, to lane: Int, _ intake: Intake, _ process: ProcessID) {
        let minute = events[0].minute
        if intake.lanes[lane].minute != minute { endTurn(lane, intake, process) }
        intake.lanes[lane].begin(minute)
        // What comes while a slow disk works waits for it.
        let wait = random.chance(5) ? number(1...180_000) : number(0...3)
        if intake.turns[lane].isEmpty { plan(.turnEnds(process, lane: lane), in: wait) }
        intake.turns[lane].append(arrival)
        for event in events {
            for kind in event.countedKinds { add(event, as: kind, to: lane, intake) }
            if event.invalid == nil, let visitor = event.visitor {
                intake.lanes[lane].note(visitor, banner: event.banner)
            }
        }
    }

    private func add(_ event: CountedEvent, as kind: Kind, to lane: Int, _ intake: Intake) {
        guard let kind = intake.lanes[lane].kinds.firstIndex(of: kind) else {
            preconditionFailure("a lane has all kinds of this world")
        }
        let count = UInt32(event.count)
        if intake.lanes[lane].add(count, banner: event.banner, kind: UInt8(kind)) { return }
        intake.lanes[lane].letIn(banner: event.banner, kind: UInt8(kind))
        let isAdded = intake.lanes[lane].add(count, banner: event.banner, kind: UInt8(kind))
        auditor.require(isAdded, "a lane does not count whom it has let in")
    }

    func endTurn(_ lane: Int, _ id: ProcessID) {
        guard let intake = process(id)?.intake else { return }
        endTurn(lane, intake, id)
    }

    private func endTurn(_ lane: Int, _ intake: Intake, _ process: ProcessID) {
        let arrivals = intake.turns[lane]
        if arrivals.isEmpty { return }
        intake.turns[lane] = []
        counters[.laneTurns] += 1
        let turn = newID()
        let sums = intake.lanes[lane].take()
        intake.handedOver[turn] = Intake.Turn(lane: lane, arrivals: arrivals, sightings: sums.sightings)
        switch intake.way {
        case .journal(let way):
            switch way.commits.add(sums, waiter: turn) {
            case .accepted(let begins): if begins { beginCommit(way, process) }
            case .refused: refuseAll(turn, intake, process)
            }
        case .brokers(let way):
            switch way.commits.add(sums, waiter: turn) {
            case .accepted(let partitions): for partition in partitions { beginCommit(partition, way, process) }
            case .refused: refuseAll(turn, intake, process)
            }
        }
    }

    private func refuseAll(_ turn: Int, _ intake: Intake, _ process: ProcessID) {
        for arrival in intake.handedOver.removeValue(forKey: turn)?.arrivals ?? [] { refuse(arrival, process) }
    }
}
