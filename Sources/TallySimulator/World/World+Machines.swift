// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// How a server starts, stops and crashes.
extension World {
    static let place = JournalPlace(dataDirectory: "./data")

    // MARK: Starting

    func planRestart(_ machine: Machine, in milliseconds: Int64) {
        plan(.machineStarts(machine.index, incarnation: machine.incarnation), in: milliseconds)
    }

    /// - Parameter incarnation: the process that ran when the start was planned; one that was started since goes on.
    func start(_ index: Int, _ incarnation: Int) {
        let machine = machines[index]
        guard machine.incarnation == incarnation else { return }
        stop(machine)
        machine.disk.restartProcess()
        prepareDisk(machine)
        counters[.starts] += 1
        if machine.role == .aggregate { return beginAggregate(machine) }
        do throws(JournalError) {
            let journal = try openJournal(machine)
            if machine.disk.hasPower { begin(journal, on: machine) } else { losePower(machine) }
        } catch {
            history.note("no journal", Int64(index))
            if !machine.disk.hasPower { return losePower(machine) }
            handle(error, machine)
        }
    }

    func openJournal(_ machine: Machine) throws(JournalError) -> Journal {
        let settings = JournalSettings(unchecked: swarm.segmentBytes)
        let identity = NodeID(bits: UInt128(random.next()) << 64 | UInt128(random.next()))
        return try Journal.open(on: machine.disk, place: World.place, settings: settings, newIdentity: identity)
    }

    private func begin(_ journal: Journal, on machine: Machine) {
        let id = ProcessID(machine: machine.index, incarnation: machine.incarnation)
        history.note("journal", Int64(machine.index), journal.firstOffset.value, journal.lastOffset.value)
        if machine.role == .ingest { return beginIngest(journal, id) }
        let account = auditor.account(of: journal.id, node: journal.identity, machine: machine.index)
        let finding = auditor.recovered(
            journal, in: account, damage: machine.damage, isOldCopy: machine.replacedDisk != nil)
        if finding == .lostToDamage { return retireJournal(machine) }
        let process = Process(id: id)
        process.journal = journal
        machine.process = process
        count(journal.id, account, process)
    }

    private func beginIngest(_ spool: Journal, _ id: ProcessID) {
        auditor.recoveredSpool(spool, on: id.machine)
        let process = Process(id: id)
        let node = NodeID(bits: UInt128(random.next()) << 64 | UInt128(random.next()))
        let commits = PartitionedCommit<Int>(process: node, partitioning: brokers.partitioning, late: swarm.late)
        let window = EventWindow(late: swarm.late, early: swarm.early, logTime: .epoch)
        var account = SpoolAccount(limit: swarm.spoolLimit)
        account.add((auditor.entries(of: spool, damage: .none) ?? []).map(\.chunk))
        let way = BrokerWay(spool: spool, commits: commits, account: account)
        let clock = clockGuard(logTime: brokers.partitions.compactMap(\.chunks.last?.time).max() ?? .epoch, id)
        process.intake = Intake(window: window, clock: clock, way: .brokers(way), lanes: makeLanes())
        machine(of: id).process = process
        forward(id)
    }

    /// A server begins to count a log.
    func count(_ log: LogID, _ account: Int, _ process: Process) {
        let id = CountingID(process: process.id, account: account, number: newID())
        let settings = settings(of: log, on: machine(of: id.process))
        let counting = Counting(id: id, log: log, isJournal: process.journal != nil, settings, swarm)
        process.counting[account] = counting
        goOn(counting)
    }

    /// Does what the replay says next.
    func goOn(_ counting: Counting) {
        while let action = counting.replay?.action {
            switch action {
            case .readCheckpoint: return call(.checkpoint, counting)
            case .load(let keys): return call(.rows(keys), counting)
            case .readEnd: counting.replay?.didRead(end: end(of: counting))
            case .read(let offset):
                if machine(of: counting.id.process).role == .aggregate {
                    return plan(.readingBegins(counting.id), in: latency)
                }
                guard readJournal(from: offset, counting) else { return }
            case .finished: return run(counting)
            case .refuse(let error): return refuse(error, counting)
            }
        }
    }

    private func end(of counting: Counting) -> LogOffset {
        if let journal = process(counting.id.process)?.journal { return journal.lastOffset }
        return partition(of: counting.id).map { brokers.partitions[$0].end } ?? .none
    }

    /// - Returns: false when the start is over.
    private func readJournal(from offset: LogOffset, _ counting: Counting) -> Bool {
        guard let journal = process(counting.id.process)?.journal else { return false }
        do throws(LogError) {
            let entries = try journal.read(from: offset, maximumBytes: swarm.bytesPerRead)
            auditor.delivered(entries, to: counting.id)
            _ = counting.replay?.didRead(entries)
            return true
        } catch .trimmed(let first) {
            counting.replay?.didFindTrimmed(first: first)
            return true
        } catch {
            auditor.require(machine(of: counting.id.process).damage != .none, "a whole journal can't be read: \(error)")
            retireJournal(machine(of: counting.id.process))
            return false
        }
    }

    private func run(_ counting: Counting) {
        let lostIDs = counting.replay?.lostIDs
        guard let aggregator = counting.replay?.finished(), let process = process(counting.id.process) else { return }
        if let lostIDs {
            counters[.lostIDs] += 1
            auditor.lostIDs(lostIDs, counting.id)
        }
        let machine = machine(of: process.id)
        auditor.require(!counting.hasOtherSettings, "a server counts with other settings than the log was counted with")
        if let journal = process.journal, machine.replacedDisk != nil {
            // Nobody could tell that this is an old copy; before anything is written the newer one is put back.
            auditor.startedFromOldCopy(journal, store)
            return putBackJournal(machine)
        }
        replacedStore = nil
        counting.replay = nil
        counting.aggregator = aggregator
        if let journal = process.journal { letIn(journal, counting, aggregator, process) }
        history.note("runs", Int64(machine.index), aggregator.position.value)
        if readsAgain(counting) { return }
        planFlush(counting)
        keepStore(counting)
        if process.journal == nil {
            didCatchUp(counting)
            plan(.readingBegins(counting.id), in: number(1...1_000))
        }
    }

    private func letIn(_ journal: Journal, _ counting: Counting, _ aggregator: Aggregator, _ process: Process) {
        let commits = GroupCommit<Int>(
            node: journal.identity, lastSequence: journal.lastSequence, after: aggregator, late: swarm.late,
            floor: swarm.floor)
        let window = EventWindow(
            late: swarm.late, early: swarm.early, floor: swarm.floor, logTime: aggregator.time)
        let way = JournalWay(journal: journal, counting: counting, commits: commits)
        let clock = clockGuard(logTime: aggregator.time, process.id)
        process.intake = Intake(window: window, clock: clock, way: .journal(way), lanes: makeLanes())
    }

    private func makeLanes() -> [Lane] {
        (0..<swarm.lanes).map { Lane(number: $0, kinds: Client.kinds.flatMap(\.withInvalid), seed: random.next()) }
    }

    // MARK: Stopping

    /// The process is gone; what it wrote is in the cache of the operating system, and on its way to the disk.
    func stop(_ machine: Machine) {
        auditor.stopped(machine: machine.index)
        machine.process = nil
        machine.incarnation += 1
    }

    func kill(_ machine: Machine) {
        counters[.crashes] += 1
        stop(machine)
        planRestart(machine, in: number(100...10_000))
    }

    func losePower(_ machine: Machine) {
        counters[.crashes] += 1
        stop(machine)
        machine.disk.crash(using: &random)
        planRestart(machine, in: number(1_000...60_000))
    }

    /// Faults of the disk that the next calls will meet.
    func prepareDisk(_ machine: Machine) {
        let disk = machine.disk
        if fails(swarm.powerLossInAppend) { disk.callsUntilPowerLoss = Int(number(0...12)) }
        disk.callsFromCreateToPowerLoss = fails(swarm.powerLossWithNewFile) ? Int(number(0...6)) : nil
        // One append may write and sync a new segment, then records in two.
        if fails(swarm.failedSyncs) {
            disk.failNext(.sync, after: Int(number(0...2)), with: .failed("input/output error"))
        }
        if fails(swarm.fullWrites) {
            disk.failNext(.write, after: Int(number(0...2)), with: .full("no block is free"))
        }
        if fails(swarm.lostWrites) {
            disk.losesNextWrite = true
            machine.damage = .wide
        }
    }
}
