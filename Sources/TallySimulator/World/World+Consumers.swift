// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// How servers share the partitions of the brokers' log, and follow them.
extension World {
    /// The partitions that there are from now on; new processes spread banners over them.
    func makePartitions(_ count: Int) {
        guard let partitioning = Partitioning(count: count) else { preconditionFailure("the number is allowed") }
        brokers.partitioning = partitioning
        for number in brokers.partitions.count..<max(count, brokers.partitions.count) {
            guard let log = LogID("brokers/\(number)") else { preconditionFailure("the name is allowed") }
            // No node of its own: all chunks come from elsewhere.
            let account = auditor.account(of: log, node: nil, machine: nil)
            brokers.partitions.append(SimulatedBrokers.Partition(account: account, log: log, owner: anyAggregator()))
            beginCounting(number)
        }
    }

    private func anyAggregator() -> Int {
        let aggregators = machines.indices.filter { machines[$0].role == .aggregate }
        return aggregators.randomElement(using: &random) ?? 0
    }

    /// - Returns: nil when it can't be read from here on: it was dropped, or the brokers are away.
    func readPartition(_ counting: Counting, from offset: LogOffset) -> [LogEntry]? {
        guard !brokers.isAway, let partition = brokers.partitions.first(where: { $0.account == counting.account })
        else {
            return nil
        }
        return partition.read(from: offset, most: swarm.bytesPerRead == 1 ? 1 : 20)
    }

    /// The owner of a partition begins to count it; when it is down, it does so when it starts.
    private func beginCounting(_ number: Int) {
        let partition = brokers.partitions[number]
        guard let process = machines[partition.owner].process else { return }
        count(partition.log, partition.account, process)
    }

    /// A server looks for new chunks.
    func poll(_ id: CountingID) {
        guard let counting = counting(id), let process = process(id.process) else { return }
        var hasNews = false
        let canRead = !machine(of: id.process).areBrokersUnreachable && !brokers.isAway
        if canRead {
            guard let position = counting.aggregator?.position,
                let entries = readPartition(counting, from: position.next)
                // What comes next was dropped, since another server has counted further: again from the store.
            else { return count(counting.log, counting.account, process) }
            for entry in entries { _ = counting.aggregator?.apply(entry) }
            hasNews = !entries.isEmpty
            if hasNews { keepStore(counting) }
        }
        // Where there was something there may be more.
        plan(.consumerPolls(id), in: hasNews ? number(1...20) : number(1...(hasFaults ? 2_000 : 20_000)))
    }

    /// Another server counts the partition from now on. The one that did hears of it soon, late, or never.
    func rebalance() {
        let index = Int(number(0...Int64(brokers.partitions.count - 1)))
        let (old, new) = (brokers.partitions[index].owner, anyAggregator())
        guard old != new else { return }
        brokers.partitions[index].owner = new
        if let counting = machines[old].process?.counting[brokers.partitions[index].account], random.chance(90) {
            plan(.partitionIsRevoked(counting.id), in: random.chance(50) ? 0 : number(100...300_000))
        }
        beginCounting(index)
        counters[.rebalances] += 1
        history.note("rebalance", Int64(index), Int64(new))
    }

    func revoke(_ id: CountingID) {
        guard let counting = counting(id) else { return }
        let owner = brokers.partitions.first { $0.account == counting.account }?.owner
        if owner != id.process.machine { process(id.process)?.counting[counting.account] = nil }
    }

    /// The number of partitions changes, and with it the partition of most banners.
    func repartition() {
        makePartitions(Int(number(1...4)))
        for machine in machines where machine.role == .ingest { kill(machine) }
    }
}
