// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// How servers share the partitions of the brokers' log, and follow them.
extension World {
    // MARK: Who counts what

    /// The partitions that there are from now on; new processes spread banners over them.
    func makePartitions(_ count: Int) {
        guard let partitioning = Partitioning(count: count) else { preconditionFailure("the number is allowed") }
        brokers.partitioning = partitioning
        for number in brokers.partitions.count..<max(count, brokers.partitions.count) {
            guard let log = LogID("brokers/\(number)") else { preconditionFailure("the name is allowed") }
            // No node of its own: all chunks come from elsewhere.
            let account = auditor.account(of: log, node: nil, machine: nil)
            let (owner, other) = (anyAggregator(), anyAggregator())
            let reserve = swarm.hasReserve && other != owner ? other : nil
            brokers.partitions.append(
                SimulatedBrokers.Partition(account: account, log: log, owner: owner, reserve: reserve))
            for machine in [owner, other] { tellAssignment(to: machine, in: 0) }
        }
    }

    private func anyAggregator() -> Int {
        let aggregators = machines.indices.filter { machines[$0].role == .aggregate }
        return aggregators.randomElement(using: &random) ?? 0
    }

    /// Another server counts the partition from now on. Both hear of it soon, late, or not before the next change.
    func rebalance() {
        let index = Int(number(0...Int64(brokers.partitions.count - 1)))
        let (old, new) = (brokers.partitions[index].owner, anyAggregator())
        guard old != new else { return }
        brokers.partitions[index].owner = new
        for machine in [old, new] {
            guard random.chance(90) else {
                machines[machine].hasMissedAssignment = true
                continue
            }
            tellAssignment(to: machine, in: random.chance(50) ? 0 : number(100...300_000))
        }
        counters[.rebalances] += 1
        history.note("rebalance", Int64(index), Int64(new))
    }

    /// A machine that is down hears of it when it starts.
    func tellAssignment(to machine: Int, in milliseconds: Int64) {
        guard let process = machines[machine].process else { return }
        plan(.partitionsAreAssigned(process.id), in: milliseconds)
    }

    /// The number of partitions changes, and with it the partition of most banners.
    func repartition() {
        makePartitions(Int(number(1...4)))
        for machine in machines where machine.role == .ingest { kill(machine) }
    }

    // MARK: Beginning and ending

    func beginAggregate(_ machine: Machine) {
        let id = ProcessID(machine: machine.index, incarnation: machine.incarnation)
        let process = Process(id: id)
        machine.process = process
        assignPartitions(id)
    }

    func assignPartitions(_ id: ProcessID) {
        guard let process = process(id) else { return }
        machine(of: id).hasMissedAssignment = false
        let own = brokers.partitions.indices.filter { brokers.partitions[$0].isCounted(by: id.machine) }
        process.assignment = Set(own)
        for action in process.duties.assign(process.assignment) { perform(action, process) }
        checkDuties(process)
    }

    private func perform(_ action: PartitionDuties.Action, _ process: Process) {
        switch action {
        case .begin(let number):
            let partition = brokers.partitions[number]
            let isIdle = process.counting[partition.account] == nil
            auditor.require(isIdle, "a server counts partition \(number) twice at a time")
            count(partition.log, partition.account, process)
        case .end(let number):
            let counting = process.counting[brokers.partitions[number].account]
            auditor.require(counting != nil, "a server is to end what it does not count")
            // It may be in the middle of something.
            let delay = random.chance(50) ? 0 : self.number(1...20_000)
            if let counting { plan(.countingEnds(counting.id, .released), in: delay) }
        case .wait(let number, let failures):
            // The delay is drawn as the server draws it.
            let retry = Event.countingIsTriedAgain(process.id, partition: number, failures: failures)
            plan(retry, in: self.number(250...30_000))
        }
    }

    func endCounting(_ id: CountingID, _ ending: PartitionDuties.Ending) {
        guard let process = process(id.process), counting(id) != nil, let partition = partition(of: id) else { return }
        if case .outrun = ending { counters[.outrunPartitions] += 1 }
        process.counting[id.account] = nil
        auditor.ended(id)
        if let action = process.duties.didEnd(partition, ending) { perform(action, process) }
        checkDuties(process)
    }

    func tryAgain(_ id: ProcessID, _ partition: Int, failures: Int) {
        guard let process = process(id), let action = process.duties.retry(partition, failures: failures) else {
            return
        }
        perform(action, process)
        checkDuties(process)
    }

    /// Each partition is counted, waited for, or about to be begun again.
    private func checkDuties(_ process: Process) {
        auditor.require(
            process.duties.assigned == process.assignment,
            "a server counts partitions \(process.duties.assigned.sorted()), not \(process.assignment.sorted())")
    }

    /// nil for a journal.
    func partition(of id: CountingID) -> Int? {
        brokers.partitions.firstIndex { $0.account == id.account }
    }
}
