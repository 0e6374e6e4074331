// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// What a person does when a server does not start.
extension World {
    func handle(_ error: JournalError, _ machine: Machine) {
        switch error {
        case .unavailable: planRestart(machine, in: number(1_000...10_000))
        case .newer: auditor.require(false, "the journal of this version is taken for a newer one: \(error)")
        case .damaged(let damage):
            auditor.require(machine.damage != .none || machine.replacedDisk != nil, "no damage, but: \(damage)")
            counters[.refusedStarts] += 1
            repairJournal(machine)
        }
    }

    func refuse(_ error: StartError, _ counting: Counting) {
        let machine = machine(of: counting.id.process)
        if case .otherSettings = error { return correctSettings(machine, counting) }
        if machine.role == .aggregate {
            auditor.refusedPartition(error)
            return endCounting(counting.id, PartitionDuties.Ending(error))
        }
        counters[.refusedStarts] += 1
        history.note("refused", Int64(machine.index))
        auditor.refusedStart(
            error, isOldJournal: machine.replacedDisk != nil, isOldStore: replacedStore != nil, damage: machine.damage)
        stop(machine)
        if machine.replacedDisk != nil { return putBackJournal(machine) }
        if replacedStore != nil { return putBackStore() }
        retireJournal(machine)
    }

    private func repairJournal(_ machine: Machine) {
        guard let identity = auditor.identity(onMachine: machine.index) else { return retireJournal(machine) }
        let settings = JournalSettings(unchecked: swarm.segmentBytes)
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
    func retireJournal(_ machine: Machine) {
        stop(machine)
        counters[.retiredJournals] += 1
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
        machine.disk.capacity = .max
        machine.replacedDisk = nil
        planRestart(machine, in: 1_000)
    }
}
