// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// The commits of a server that sends them to the brokers, with its spool; and the brokers.
extension World {
    /// How long a server waits for the brokers, in milliseconds.
    private static let patience: Int64 = 5_000

    // MARK: Committing

    func beginCommit(_ partition: Int, _ way: BrokerWay, _ process: ProcessID) {
        guard let chunks = way.commits.begin(partition, at: commitTime(process)) else { return }
        auditor.made(chunks, for: brokers.partitions[partition].account)
        let spool: Delivery.Spool = !swarm.spools ? .none : way.account.isFull ? .full : .open
        let delivery = Delivery(
            chunks, isLogAway: way.forwarder.isAway(partition), spool: spool, acknowledgement: swarm.acknowledgement)
        way.deliveries[partition] = delivery
        way.committing[partition] = chunks
        goOn(delivery, partition, way, process)
    }

    private func goOn(_ delivery: Delivery, _ partition: Int, _ way: BrokerWay, _ process: ProcessID) {
        switch delivery.action {
        case .send(let chunks): way.calls[call(partition, chunks, process)] = partition
        case .spool: plan(.spoolIsWritten(process, partition: partition), in: number(0...swarm.appendTime))
        case .finish(let result, let durability):
            way.deliveries[partition] = nil
            let chunks = way.committing.removeValue(forKey: partition) ?? []
            if case .failure(.refused) = result { auditor.withdrew(chunks) }
            let log = durability == .disk ? way.spool.id : brokers.partitions[partition].log
            for answer in way.commits.finish(partition, result, in: log, durability: durability) {
                reply(toAll: answer.waiter, answer.result, process)
            }
            beginCommit(partition, way, process)
        }
    }

    func writeSpool(_ partition: Int, _ id: ProcessID) {
        guard case .brokers(let way) = process(id)?.intake?.way, let delivery = way.deliveries[partition],
            case .spool(let chunks) = delivery.action
        else { return }
        let machine = machine(of: id)
        let held = swarm.spoolLimit == .max ? 0 : auditor.bytes(in: way.spool)
        prepareDisk(machine)
        let result = way.account.admit(chunks) ? append(chunks, to: way.spool) : .failure(Delivery.fullSpool)
        if case .failure(.refused) = result, result != .failure(Delivery.fullSpool) { way.account.remove(chunks) }
        if !machine.disk.hasPower { return losePower(machine) }
        switch result {
        case .success:
            auditor.spooled(chunks, on: id.machine)
            auditor.require(held < swarm.spoolLimit, "a full spool took more")
            counters[.spooledChunks] += chunks.count
        case .failure(.failed): planRestart(machine, in: number(1_000...20_000))
        case .failure: break
        }
        history.note("spool", Int64(id.machine), way.spool.lastOffset.value)
        way.deliveries[partition]?.didSpool(result)
        way.deliveries[partition].map { goOn($0, partition, way, id) }
        forward(id)
    }

    // MARK: Forwarding

    func forward(_ id: ProcessID) {
        guard case .brokers(let way) = process(id)?.intake?.way, way.forwarding.isEmpty, way.probe == nil,
            !way.pauses
        else { return }
        while let action = way.forwarder.next(end: way.spool.lastOffset) {
            switch action {
            case .read(let offset):
                guard let entries = try? way.spool.read(from: offset, maximumBytes: swarm.bytesPerRead) else {
                    return auditor.require(false, "a spool can't be read")
                }
                way.forwarder.didRead(entries)
            case .send(let chunks):
                let parts = Dictionary(grouping: chunks, by: \.node.partition).sorted { $0.key < $1.key }
                for (partition, chunks) in parts { way.forwarding[call(partition, chunks, id)] = partition }
                return
            case .probe(let partition):
                // An append of nothing.
                way.probe = call(partition, [], id)
                return
            case .trim(let offset):
                try? way.spool.trim(before: offset)
                if !machine(of: id).disk.hasPower { return losePower(machine(of: id)) }
                way.forwarder.didTrim()
            }
        }
    }

    /// All partitions have answered, or will not.
    private func finishForwarding(_ way: BrokerWay, _ process: ProcessID) {
        let failed = way.failed
        way.failed = []
        let sent = way.forwarder.didSend(failed: failed)
        way.account.remove(sent)
        way.commits.didForward(sent)
        goOnForwarding(way, process, hasFailed: !failed.isEmpty)
    }

    private func goOnForwarding(_ way: BrokerWay, _ process: ProcessID, hasFailed: Bool) {
        way.pauses = hasFailed
        if hasFailed { return plan(.forwarderWorks(process), in: number(250...30_000)) }
        forward(process)
    }

    /// The forwarder has waited since it failed.
    func forwardAgain(_ id: ProcessID) {
        guard case .brokers(let way) = process(id)?.intake?.way else { return }
        way.pauses = false
        forward(id)
    }

    // MARK: Calls

    private func call(_ partition: Int, _ chunks: [Chunk], _ process: ProcessID) -> Int {
        let call = BrokerCall(id: newID(), process: process, partition: partition, chunks: chunks)
        if !machine(of: process).areBrokersUnreachable { send(.brokersReceive(call)) }
        plan(.brokersTimeOut(call), in: World.patience)
        return call.id
    }

    func receive(_ call: BrokerCall) {
        if brokers.isAway || fails(swarm.refusedCalls) { return answer(call, nil) }
        if !call.isLate, fails(swarm.lateCalls) {
            var late = call
            late.isLate = true
            return plan(.brokersReceive(late), in: number(World.patience...200_000))
        }
        // Each chunk is a message of its own: the brokers may have some of a commit, and not those before them.
        let most = swarm.chunksPerCall ?? .max
        let isTooSlow = call.chunks.count > most
        let isPartial = !isTooSlow && call.chunks.count > 1 && fails(swarm.partialWrites)
        let chunks = isPartial ? call.chunks.filter { _ in random.chance(50) } : Array(call.chunks.prefix(most))
        let offsets = chunks.map { append($0, call.partition) }
        history.note("append", Int64(call.partition), offsets.last?.value ?? 0)
        if isPartial { return answer(call, nil) }
        if isTooSlow || fails(swarm.lostAnswers) { return }
        answer(call, offsets)
    }

    private func append(_ chunk: Chunk, _ partition: Int) -> LogOffset {
        let account = brokers.partitions[partition].account
        let entry = brokers.partitions[partition].append(chunk)
        let isNew = auditor.appended(entry, to: account)
        counters[.repeatedChunks] += isNew ? 0 : 1
        return entry.offset
    }

    private func answer(_ call: BrokerCall, _ offsets: [LogOffset]?) {
        if machine(of: call.process).areBrokersUnreachable { return }
        send(.brokersAnswer(call, offsets))
    }

    /// - Parameter offsets: nil when there was no answer, or a refusal.
    func receive(_ offsets: [LogOffset]?, to call: BrokerCall) {
        guard case .brokers(let way) = process(call.process)?.intake?.way else { return }
        if offsets != nil { brokers.acknowledged.formUnion(call.chunks.map { ChunkName($0) }) }
        if way.probe == call.id {
            way.probe = nil
            way.forwarder.didProbe(answered: offsets != nil)
            goOnForwarding(way, call.process, hasFailed: offsets == nil)
        }
        if let partition = way.forwarding.removeValue(forKey: call.id) {
            if offsets == nil { way.failed.insert(partition) }
            if way.forwarding.isEmpty { finishForwarding(way, call.process) }
        }
        guard let partition = way.calls.removeValue(forKey: call.id) else { return }
        way.forwarder.note(partition, answered: offsets != nil)
        if offsets == nil { forward(call.process) }
        let result: Result<[LogOffset], LogError> = offsets.map { .success($0) } ?? .failure(.unavailable("no answer"))
        way.deliveries[partition]?.didSend(result)
        way.deliveries[partition].map { goOn($0, partition, way, call.process) }
    }
}
