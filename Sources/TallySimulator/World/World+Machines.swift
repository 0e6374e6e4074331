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
        counters.starts += 1
        do throws(JournalError) {
            let journal = try openJournal(machine)
            if machine.disk.hasPower { begin(journal, on: machine) } else { losePower(machine) }
        } catch {
            history.note("no journal", Int64(index))
            if !machine.disk.hasPower { return losePower(machine) }
            handle(error, machine)
        }
    }

    private func openJournal(_ machine: Machine) throws(JournalError) -> Journal {
        guard let settings = JournalSettings(segmentBytes: swarm.segmentBytes) else {
            preconditionFailure("the sizes are allowed ones")
        }
        let identity = NodeID(bits: UInt128(random.next()) << 64 | UInt128(random.next()))
        return try Journal.open(on: machine.disk, place: World.place, settings: settings, newIdentity: identity)
    }

    private func begin(_ journal: Journal, on machine: Machine) {
        let account = auditor.account(of: journal.id, node: journal.identity, machine: machine.index)
        let finding = auditor.recovered(
            journal, in: account, damage: machine.damage, isOldCopy: machine.replacedDisk != nil)
        history.note("journal", Int64(machine.index), journal.firstOffset.value, journal.lastOffset.value)
        if finding == .lostToDamage { return retireJournal(machine) }
        let configuration = Aggregator.Configuration(window: swarm.window, windowLimit: swarm.windowLimit)
        let replay = Replay(log: journal.id, layout: swarm.layout, configuration: configuration)
        let id = ProcessID(machine: machine.index, incarnation: machine.incarnation)
        let process = Process(id: id, journal: journal, account: account, replay: replay)
        machine.process = process
        goOn(process)
    }

    /// Does what the replay says next.
    func goOn(_ process: Process) {
        while let action = process.replay?.action {
            switch action {
            case .readCheckpoint: return call(.checkpoint, process)
            case .load(let keys): return call(.rows(keys), process)
            case .readEnd: process.replay?.didRead(end: process.journal.lastOffset)
            case .read(let offset):
                guard let entries = read(from: offset, process) else { return }
                _ = process.replay?.didRead(entries)
            case .finished: return run(process)
            case .refuse(let error): return refuse(error, process)
            }
        }
    }

    private func read(from offset: LogOffset, _ process: Process) -> [LogEntry]? {
        do throws(LogError) {
            return try process.journal.read(from: offset, maximumBytes: swarm.bytesPerRead)
        } catch .trimmed(let first) {
            refuse(.storeBehindLog(log: process.journal.id, first: first), process)
        } catch {
            auditor.require(machine(of: process.id).damage != .none, "a whole journal can't be read: \(error)")
            retireJournal(machine(of: process.id))
        }
        return nil
    }

    private func run(_ process: Process) {
        guard let aggregator = process.replay?.finished() else { return }
        let machine = machine(of: process.id)
        if machine.replacedDisk != nil {
            // Nobody could tell that this is an old copy; before anything is written the newer one is put back.
            auditor.startedFromOldCopy(process.journal, in: process.account, store)
            return putBackJournal(machine)
        }
        replacedStore = nil
        process.replay = nil
        let commits = GroupCommit<Int>(
            node: process.journal.identity, lastSequence: process.journal.lastSequence, after: aggregator,
            late: swarm.late)
        let window = EventWindow(late: swarm.late, early: swarm.early, logTime: aggregator.time)
        process.server = Process.Server(window: window, commits: commits, aggregator: aggregator)
        history.note("runs", Int64(process.id.machine), aggregator.position.value)
        planFlush(process)
        keepStore(process)
    }

    // MARK: What a person does when it does not start

    private func handle(_ error: JournalError, _ machine: Machine) {
        switch error {
        case .unavailable: planRestart(machine, in: number(1_000...10_000))
        case .newer: auditor.require(false, "the journal of this version is taken for a newer one: \(error)")
        case .damaged(let damage):
            auditor.require(machine.damage != .none || machine.replacedDisk != nil, "no damage, but: \(damage)")
            counters.refusedStarts += 1
            repairJournal(machine)
        }
    }

    private func refuse(_ error: StartError, _ process: Process) {
        let machine = machine(of: process.id)
        counters.refusedStarts += 1
        history.note("refused", Int64(machine.index))
        auditor.refusedStart(
            error, process.journal, in: process.account, isOldJournal: machine.replacedDisk != nil,
            isOldStore: replacedStore != nil, damage: machine.damage)
        stop(machine)
        if machine.replacedDisk != nil { return putBackJournal(machine) }
        if replacedStore != nil { return putBackStore() }
        retireJournal(machine)
    }

    private func repairJournal(_ machine: Machine) {
        guard let identity = auditor.identity(onMachine: machine.index),
            let settings = JournalSettings(segmentBytes: swarm.segmentBytes)
        else { return retireJournal(machine) }
        machine.disk.restartProcess()
        machine.disk.capacity = .max
        let checkpoint = store.counts.checkpoint(of: LogID(journal: identity)) ?? .start
        let repair = JournalRepair(
            disk: machine.disk, place: World.place, settings: settings, checkpoint: checkpoint.upTo,
            checkpointSequence: checkpoint.sequences[identity]?.highest ?? 0, identity: identity)
        do {
            let report = try repair.run()
            let journal = try openJournal(machine)
            auditor.repaired(journal, report, damage: machine.damage)
        } catch {
            auditor.require(false, "a damaged journal can't be repaired: \(error)")
        }
        retireJournal(machine)
    }

    /// The journal is moved away, and a new one is begun: its losses were shown, and the accounts of it are closed.
    private func retireJournal(_ machine: Machine) {
        stop(machine)
        counters.retiredLogs += 1
        auditor.retire(machine: machine.index)
        machine.disk = SimulatedDisk()
        machine.damage = .none
        machine.backup = nil
        machine.replacedDisk = nil
        planRestart(machine, in: 1_000)
    }

    func putBackJournal(_ machine: Machine) {
        stop(machine)
        if let disk = machine.replacedDisk { machine.disk = disk }
        machine.replacedDisk = nil
        planRestart(machine, in: 1_000)
    }

    // MARK: Stopping

    /// The process is gone; what it wrote is in the cache of the operating system, and on its way to the disk.
    func stop(_ machine: Machine) {
        if let process = machine.process { auditor.stopped(process.account) }
        machine.process = nil
        machine.incarnation += 1
    }

    func kill(_ machine: Machine) {
        counters.crashes += 1
        stop(machine)
        planRestart(machine, in: number(100...10_000))
    }

    func losePower(_ machine: Machine) {
        counters.crashes += 1
        stop(machine)
        machine.disk.crash(using: &random)
        planRestart(machine, in: number(1_000...60_000))
    }

    /// Faults of the disk that the next calls will meet.
    func prepareDisk(_ machine: Machine) {
        let disk = machine.disk
        if fails(swarm.powerLossInAppend) { disk.callsUntilPowerLoss = Int(number(0...12)) }
        if fails(swarm.failedSyncs) { disk.failNext(.sync, with: .failed("input/output error")) }
        if fails(swarm.fullWrites) { disk.failNext(.write, with: .full("no block is free")) }
        if fails(swarm.lostWrites) {
            disk.losesNextWrite = true
            machine.damage = .wide
        }
    }
}
