// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// The commits of a server that writes into its own journal.
extension World {
    func beginCommit(_ way: JournalWay, _ process: ProcessID) {
        guard let commit = way.commits.begin(at: commitTime(process)) else { return }
        way.commit = commit.chunks
        plan(.diskWorks(process), in: fails(swarm.slowSyncs) ? number(100...150_000) : number(0...swarm.appendTime))
    }

    func writeCommit(_ id: ProcessID) {
        guard case .journal(let way) = process(id)?.intake?.way, let chunks = way.commit else { return }
        let machine = machine(of: id)
        let account = way.counting.account
        way.commit = nil
        auditor.offered(chunks, to: account)
        prepareDisk(machine)
        let result = append(chunks, to: way.journal)
        if !machine.disk.hasPower { return losePower(machine) }
        let answers = way.commits.finish(result) { entries in
            auditor.logged(entries, in: account)
            auditor.delivered(entries, to: way.counting.id)
            for entry in entries { _ = way.counting.aggregator?.apply(entry) }
        }
        _ = readsAgain(way.counting)
        if case .failure(let error) = result { fail(error, account, machine) }
        for answer in answers {
            reply(
                toAll: answer.waiter,
                answer.result.map { [Receipt(log: way.counting.log, offset: $0, durability: .disk)] }, id)
        }
        history.note("commit", Int64(chunks.count), way.journal.lastOffset.value, Int64(answers.count))
        beginCommit(way, id)
        keepStore(way.counting)
    }

    func append(_ chunks: [Chunk], to journal: Journal) -> Result<[LogOffset], LogError> {
        do throws(LogError) {
            return .success(try journal.append(chunks))
        } catch {
            return .failure(error)
        }
    }

    private func fail(_ error: LogError, _ account: Int, _ machine: Machine) {
        history.note("append failed", Int64(machine.index))
        if case .refused = error { return auditor.withdrawn(from: account) }
        // The process answers 503 until somebody starts it again.
        planRestart(machine, in: number(1_000...20_000))
    }

    /// To a request, or to all of a lane's turn.
    func reply(toAll waiter: Int, _ result: Result<[Receipt], LogError>, _ id: ProcessID) {
        let intake = process(id)?.intake
        let turn = intake?.handedOver.removeValue(forKey: waiter)
        if let turn, case .success = result { intake?.lanes[turn.lane].didCommit(turn.sightings) }
        for arrival in turn?.arrivals ?? [waiter] {
            reply(to: arrival, result, id)
        }
    }

    private func reply(to arrival: Int, _ result: Result<[Receipt], LogError>, _ process: ProcessID) {
        let request: Auditor.Sender?
        switch result {
        case .success(let receipts):
            request = auditor.acknowledged(arrival, receipts)
            counters[.acknowledgedRequests] += 1
        case .failure(.refused): request = auditor.refused(arrival)
        case .failure: request = auditor.unknown(arrival)
        }
        guard let request else { return }
        answer(
            request.client, request.id, (try? result.get()) == nil ? .unavailable : .counted, from: machine(of: process)
        )
    }
}
