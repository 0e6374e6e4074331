// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// What a server does with a request, up to its commit.
extension World {
    func arrive(_ request: Request) {
        let machine = machines[request.machine]
        guard !machine.isUnreachable, let process = machine.process, let intake = process.intake else {
            return answer(request.client, request.id, .unavailable, from: machine)
        }
        switch request.body {
        case .events(let events, let backfill): admit(events, backfill: backfill, of: request, intake, process.id)
        case .chunk(let chunk): add(chunk, of: request, intake, process.id)
        }
    }

    private func admit(
        _ sent: [SentEvent], backfill: Bool, of request: Request, _ intake: Intake, _ process: ProcessID
    ) {
        guard let clock = trustedTime(intake, process) else {
            return answer(request.client, request.id, .unavailable, from: machine(of: process))
        }
        var events: [CountedEvent] = []
        for event in sent {
            let decision = intake.window.decide(event.time, now: clock, backfill: backfill)
            auditor.decided(decision, event, now: clock, backfill: backfill)
            switch decision {
            case .tooOld: counters[.rejectedTooOld] += 1
            case .tooEarly: counters[.rejectedTooEarly] += 1
            case .accepted(let minute):
                // A repetition may be judged otherwise.
                let invalid = random.chance(20) ? InvalidReason.allCases.randomElement(using: &random) : nil
                counters[.invalidEvents] += invalid == nil ? 0 : 1
                events.append(
                    CountedEvent(
                        banner: event.banner, kind: event.kind, minute: minute, count: event.count, id: event.id,
                        invalid: invalid, visitor: visitor(request.client, at: minute)))
            }
        }
        history.note("admitted", Int64(request.id), Int64(events.count), Int64(sent.count))
        if events.isEmpty { return answer(request.client, request.id, .rejected, from: machine(of: process)) }
        let arrival = newID()
        counters[.admittedEvents] += events.count
        auditor.admitted(
            arrival, of: request, events: events.map { (account: account(of: $0.banner, intake), event: $0) })
        if let lane = lane(for: sent, backfill: backfill, intake) {
            return add(events, arrival, to: lane, intake, process)
        }
        intake.admitted[arrival] = (events, backfill)
        if let delay = delayOfBody {
            plan(.requestIsCommitted(process, arrival: arrival), in: delay)
        } else {
            commit(arrival, process)
        }
    }

    /// Few registers, and another rank every minute, so that a register is raised and met again.
    private func visitor(_ client: Int, at minute: Minute) -> Sighting.Mark? {
        guard swarm.countsVisitors else { return nil }
        let bits = (UInt64(minute.sinceEpoch).mixed() ^ UInt64(client)).mixed()
        return Sighting.Mark(register: UInt16(bits & 7), rank: UInt8(bits >> 8 & 7) + 1)
    }

    /// A long body takes its time.
    private var delayOfBody: Int64? { random.chance(5) ? number(1...180_000) : nil }

    private func account(of banner: BannerID, _ intake: Intake) -> Int {
        switch intake.way {
        case .journal(let way): way.counting.account
        case .brokers(let way): brokers.partitions[way.commits.partitioning.partition(of: banner)].account
        }
    }

    func commit(_ arrival: Int, _ id: ProcessID) {
        guard let intake = process(id)?.intake, let (events, backfill) = intake.admitted.removeValue(forKey: arrival)
        else { return }
        switch intake.way {
        case .journal(let way):
            follow(way.commits.add(events, backfill: backfill, waiter: arrival), arrival, way, id)
        case .brokers(let way):
            switch way.commits.add(events, backfill: backfill, waiter: arrival) {
            case .accepted(let partitions): for partition in partitions { beginCommit(partition, way, id) }
            case .refused: refuse(arrival, id)
            }
        }
    }

    private func add(_ chunk: Chunk, of request: Request, _ intake: Intake, _ process: ProcessID) {
        guard case .journal(let way) = intake.way, let aggregator = way.counting.aggregator else { return }
        // As a server answers a chunk that it has counted.
        if aggregator.sequences(of: chunk.node).contains(chunk.sequence) {
            auditor.acknowledgedAgain(chunk, in: way.counting.account)
            counters[.repeatedImports] += 1
            return answer(request.client, request.id, .counted, from: machine(of: process))
        }
        guard let clock = trustedTime(intake, process) else {
            return answer(request.client, request.id, .unavailable, from: machine(of: process))
        }
        let earliest = Timestamp(milliseconds: chunk.earliestMinute.unixSeconds * 1_000)
        if case .tooOld = intake.window.decide(earliest, now: clock, backfill: true) {
            counters[.rejectedTooOld] += 1
            return answer(request.client, request.id, .rejected, from: machine(of: process))
        }
        let arrival = newID()
        auditor.admitted(arrival, of: request, chunk: chunk, into: way.counting.account)
        if let delay = delayOfBody {
            plan(.chunkIsCommitted(process, chunk, arrival: arrival), in: delay)
        } else {
            commit(chunk, arrival, process)
        }
    }

    func commit(_ chunk: Chunk, _ arrival: Int, _ id: ProcessID) {
        guard case .journal(let way) = process(id)?.intake?.way else { return }
        follow(way.commits.add(chunk, waiter: arrival), arrival, way, id)
    }

    private func follow(
        _ admission: GroupCommit<Int>.Admission, _ arrival: Int, _ way: JournalWay, _ process: ProcessID
    ) {
        switch admission {
        case .accepted(begins: true): beginCommit(way, process)
        case .accepted(begins: false): break
        case .refused: refuse(arrival, process)
        }
    }

    func refuse(_ arrival: Int, _ process: ProcessID) {
        counters[.refusedRequests] += 1
        guard let request = auditor.refused(arrival) else { return }
        answer(request.client, request.id, .unavailable, from: machine(of: process))
    }

    func answer(_ client: Int, _ request: Int, _ result: Answer.Result, from machine: Machine) {
        if machine.isUnreachable { return }
        send(.answerArrives(Answer(request: request, client: client, result: result)))
    }
}
