// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// How a server reads a partition of the brokers' log, call by call: between any two of them others append and trim.
extension World {
    /// A server reads on where its replay or its aggregator is.
    func beginReading(_ id: CountingID) {
        guard let process = process(id.process), let counting = counting(id), let offset = nextOffset(counting) else {
            return
        }
        noteEnd(counting)
        process.readings[id.account, default: LogReading()].request(from: offset)
        goOnReading(id)
    }

    /// A read begins. The reader asks for the end of the log when it has not reached it for a while.
    private func noteEnd(_ counting: Counting) {
        guard let index = partition(of: counting.id) else { return }
        let (time, end) = (Duration.milliseconds(now), brokers.partitions[index].end)
        counting.readingBegan = time
        auditor.noteEnd(end, at: time, for: counting.id)
        if counting.aggregator != nil, reachesBrokers(counting.id), counting.catchUp.asksForEnd(at: time) {
            counting.catchUp.didLearn(end: end, at: time)
        }
    }

    private func reachesBrokers(_ id: CountingID) -> Bool {
        !brokers.isAway && !machine(of: id.process).areBrokersUnreachable
    }

    private func nextOffset(_ counting: Counting) -> LogOffset? {
        if case .read(let offset)? = counting.replay?.action { return offset }
        return counting.aggregator?.position.next
    }

    func goOnReading(_ id: CountingID) {
        guard let process = process(id.process), let counting = counting(id) else { return }
        repeat {
            guard reachesBrokers(id) else {
                process.readings[id.account]?.didFail()
                return didRead(.failure(.unavailable("no broker answers")), counting)
            }
            if let result = callBrokers(id.account, process) { return didRead(result, counting) }
        } while random.chance(50)
        plan(.readingGoesOn(id), in: delayOfReading)
    }

    /// Brokers and readers take their time, and others go on meanwhile.
    private var delayOfReading: Int64 { fails(swarm.slowReads) ? number(1_000...60_000) : latency }

    /// - Returns: nil when there is more to ask for.
    private func callBrokers(_ account: Int, _ process: Process) -> Result<[LogEntry], LogError>? {
        guard let partition = brokers.partitions.first(where: { $0.account == account }),
            var reading = process.readings[account]
        else { preconditionFailure("what is read is a partition") }
        defer { process.readings[account] = reading }
        switch reading.action {
        case .give: return .success(take(from: &reading))
        case .end: return .success([])
        case .trimmed(let first): return .failure(.trimmed(first: first))
        case .askBounds: reading.didLearn(partition.bounds(sendsAll: swarm.sendsAll))
        case .begin(let offset):
            process.consumers[account] = offset
            reading.didBegin()
        case .fetch: fetch(from: partition, into: &reading, process)
        }
        return nil
    }

    private func take(from reading: inout LogReading<Chunk>) -> [LogEntry] {
        var entries: [LogEntry] = []
        while entries.count < (swarm.bytesPerRead == 1 ? 1 : 20), let (offset, chunk) = reading.next() {
            reading.didGive()
            entries.append(LogEntry(offset: offset, chunk: chunk))
        }
        return entries
    }

    private func fetch(
        from partition: SimulatedBrokers.Partition, into reading: inout LogReading<Chunk>, _ process: Process
    ) {
        let next = process.consumers[partition.account] ?? LogOffset(1)
        let sent = partition.messages(from: next, atMost: Int(number(1...30)))
        if let last = sent.last { process.consumers[partition.account] = last.offset.next }
        // A connection that breaks takes some of what was sent along.
        let isLossy = !swarm.sendsAll && fails(swarm.lostMessages)
        let arrived = isLossy ? Array(sent.filter { _ in random.chance(50) }) : sent
        if arrived.isEmpty { reading.didFail() } else { reading.didFetch(arrived) }
    }

    private func didRead(_ result: Result<[LogEntry], LogError>, _ counting: Counting) {
        if counting.replay == nil { return didFollow(result, counting) }
        switch result {
        case .success(let entries):
            auditor.delivered(entries, to: counting.id)
            _ = counting.replay?.didRead(entries)
            goOn(counting)
        case .failure(.trimmed(let first)):
            counting.replay?.didFindTrimmed(first: first)
            goOn(counting)
        case .failure(let error): endCounting(counting.id, PartitionDuties.Ending(.log(error)))
        }
    }

    private func didFollow(_ result: Result<[LogEntry], LogError>, _ counting: Counting) {
        switch result {
        case .success(let entries):
            auditor.delivered(entries, to: counting.id)
            for entry in entries { _ = counting.aggregator?.apply(entry) }
            if readsAgain(counting) { return }
            noteCatchUp(counting, foundNothing: entries.isEmpty)
            if !entries.isEmpty { keepStore(counting) }
            // Where there was something there may be more.
            plan(.readingBegins(counting.id), in: entries.isEmpty ? pause : number(1...20))
        case .failure(let error):
            if let ending = PartitionDuties.Ending(whileReading: error) { return endCounting(counting.id, ending) }
            plan(.readingBegins(counting.id), in: pause)
        }
    }

    private var pause: Int64 { number(1...(hasFaults ? 2_000 : 20_000)) }

    private func noteCatchUp(_ counting: Counting, foundNothing: Bool) {
        guard let position = counting.aggregator?.position,
            counting.catchUp.didRead(upTo: position, foundNothing: foundNothing, began: counting.readingBegan)
        else { return }
        if !foundNothing { counters[.endsReachedUnderLoad] += 1 }
        auditor.checkCatchUp(with: counting.catchUp.countedUpTo, counting.id)
        didCatchUp(counting)
    }

    func didCatchUp(_ counting: Counting) {
        guard let partition = partition(of: counting.id) else { return }
        let isComplete = counting.aggregator?.missing.isEmpty ?? true
        process(counting.id.process)?.duties.didCatchUp(partition, isComplete: isComplete)
    }

    /// - Returns: whether counting has ended, to begin again, since a chunk is missing.
    func readsAgain(_ counting: Counting) -> Bool {
        guard let missing = counting.aggregator?.missing, !missing.isEmpty else { return false }
        auditor.checkMissing(missing, counting.id)
        guard let partition = partition(of: counting.id),
            process(counting.id.process)?.duties.shouldReadAgain(partition) == true
        else { return false }
        counters[.rereadPartitions] += 1
        endCounting(counting.id, .outrun("a chunk is missing"))
        return true
    }
}
