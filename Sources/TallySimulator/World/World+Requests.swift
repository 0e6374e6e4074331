// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// What a server does with a request: the way of an event up to the answer.
extension World {
    func arrive(_ request: Request) {
        let machine = machines[request.machine]
        guard !machine.isUnreachable, let process = machine.process, process.server != nil else {
            return answer(request.client, request.id, .unavailable, from: machine)
        }
        switch request.body {
        case .events(let events, let backfill): admit(events, backfill: backfill, of: request, process)
        case .chunk(let chunk): add(chunk, of: request, process)
        }
    }

    private func admit(_ sent: [SentEvent], backfill: Bool, of request: Request, _ process: Process) {
        let clock = machine(of: process.id).clock.time(at: now)
        var events: [CountedEvent] = []
        for event in sent {
            guard let decision = process.server?.window.decide(event.time, now: clock, backfill: backfill) else {
                return
            }
            auditor.decided(decision, event, now: clock, backfill: backfill)
            guard case .accepted(let minute) = decision else { continue }
            events.append(
                CountedEvent(
                    banner: event.banner, kind: event.kind, minute: minute, count: event.count, id: event.id))
        }
        history.note("admitted", Int64(request.id), Int64(events.count), Int64(sent.count))
        if events.isEmpty { return answer(request.client, request.id, .rejected, from: machine(of: process.id)) }
        let arrival = newID()
        counters.admitted += events.count
        auditor.admitted(arrival, of: request, events: events, into: process.account)
        process.server?.admitted[arrival] = (events, backfill)
        // A long body takes its time.
        if random.chance(5) {
            plan(.requestIsCommitted(process.id, arrival: arrival), in: number(1...180_000))
        } else {
            commit(arrival, process.id)
        }
    }

    func commit(_ arrival: Int, _ id: ProcessID) {
        guard let process = process(id), let (events, backfill) = process.server?.admitted.removeValue(forKey: arrival)
        else { return }
        guard let admission = process.server?.commits.add(events, backfill: backfill, waiter: arrival) else { return }
        follow(admission, arrival, process)
    }

    private func add(_ chunk: Chunk, of request: Request, _ process: Process) {
        // As a server answers a chunk that it has counted.
        if process.server?.aggregator.sequences(of: chunk.node).contains(chunk.sequence) == true {
            auditor.acknowledgedAgain(chunk, in: process.account)
            return answer(request.client, request.id, .counted, from: machine(of: process.id))
        }
        let arrival = newID()
        auditor.admitted(arrival, of: request, chunk: chunk, into: process.account)
        guard let admission = process.server?.commits.add(chunk, waiter: arrival) else { return }
        follow(admission, arrival, process)
    }

    private func follow(_ admission: GroupCommit<Int>.Admission, _ arrival: Int, _ process: Process) {
        switch admission {
        case .accepted(begins: true): beginCommit(process)
        case .accepted(begins: false): break
        case .refused:
            guard let request = auditor.refused(arrival) else { return }
            answer(request.client, request.id, .unavailable, from: machine(of: process.id))
        }
    }

    func beginCommit(_ process: Process) {
        let clock = machine(of: process.id).clock.time(at: now)
        process.server?.window.observe(clock)
        guard let commit = process.server?.commits.begin(at: clock) else { return }
        process.server?.commit = commit.chunks
        plan(.diskWorks(process.id), in: fails(swarm.slowSyncs) ? number(100...150_000) : number(0...3))
    }

    func writeCommit(_ id: ProcessID) {
        guard let process = process(id), let chunks = process.server?.commit else { return }
        let machine = machine(of: id)
        process.server?.commit = nil
        auditor.offered(chunks, to: process.account)
        prepareDisk(machine)
        let result: Result<[LogOffset], LogError>
        do throws(LogError) {
            result = .success(try process.journal.append(chunks))
        } catch {
            result = .failure(error)
        }
        if !machine.disk.hasPower { return losePower(machine) }
        let answers = process.server?.commits.finish(result) { entries in
            auditor.logged(entries, in: process.account)
            for entry in entries { _ = process.server?.aggregator.apply(entry) }
        }
        if case .failure(let error) = result { fail(error, process) }
        for answer in answers ?? [] { reply(answer, process) }
        history.note("commit", Int64(chunks.count), process.journal.lastOffset.value, Int64(answers?.count ?? 0))
        beginCommit(process)
        keepStore(process)
    }

    private func fail(_ error: LogError, _ process: Process) {
        history.note("append failed", Int64(process.id.machine))
        if case .refused = error { return auditor.withdrawn(from: process.account) }
        // The process answers 503 until somebody starts it again.
        planRestart(machine(of: process.id), in: number(1_000...20_000))
    }

    private func reply(_ answer: GroupCommit<Int>.Answer, _ process: Process) {
        switch answer.result {
        case .success(let offset):
            guard let request = auditor.acknowledged(answer.waiter, at: offset) else { return }
            counters.acknowledged += 1
            self.answer(request.client, request.id, .counted, from: machine(of: process.id))
        case .failure(let error):
            let request: Auditor.Sender?
            if case .refused = error {
                request = auditor.refused(answer.waiter)
            } else {
                request = auditor.unknown(answer.waiter)
            }
            guard let request else { return }
            self.answer(request.client, request.id, .unavailable, from: machine(of: process.id))
        }
    }

    private func answer(_ client: Int, _ request: Int, _ result: Answer.Result, from machine: Machine) {
        if machine.isUnreachable { return }
        send(.answerArrives(Answer(request: request, client: client, result: result)))
    }
}
