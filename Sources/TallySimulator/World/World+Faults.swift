// SPDX-License-Identifier: Apache-2.0

import TallyCore

extension World {
    func begin(_ fault: Swarm.Fault) {
        let machine = machines[Int(number(0...Int64(machines.count - 1)))]
        switch fault {
        case .kill: kill(machine)
        case .powerLoss: losePower(machine)
        case .fullDisk:
            // Room for what is there, and perhaps for a segment more.
            machine.disk.capacity = machine.disk.usedBytes + swarm.segmentBytes * Int(number(0...1))
            last(.fullDisk(machine: machine.index))
        case .damage: damage(machine)
        case .clockJump: moveClock(machine)
        case .clockDrift: machine.clock.drift(perMille: number(-50...50), from: now)
        case .unreachable:
            machine.isUnreachable = true
            last(.unreachable(machine: machine.index))
        case .storeUnreachable:
            machine.isStoreUnreachable = true
            last(.storeUnreachable(machine: machine.index))
        case .storeOutage:
            store.isAway = true
            last(.storeOutage)
        case .storeBackup: if replacedStore == nil { store.backup = store.counts }
        case .storeRestore: restoreStore()
        case .journalBackup: backUpJournal(machine)
        case .journalRestore: restoreJournal(machine)
        case .brokerOutage:
            brokers.isAway = true
            last(.brokerOutage)
        case .brokersUnreachable:
            machine.areBrokersUnreachable = true
            last(.brokersUnreachable(machine: machine.index))
        case .rebalance: rebalance()
        case .repartition: repartition()
        case .otherSettings: if machine.role != .ingest { misconfigure(machine) }
        case .contradiction: contradict()
        case .chunkLoss: loseChunk()
        case .retention: dropCounted()
        }
        history.note("fault", Int64(machine.index))
    }

    private func last(_ fault: LastingFault) { plan(.faultEnds(fault), in: number(100...200_000)) }

    func end(_ fault: LastingFault) {
        switch fault {
        case .fullDisk(let machine): machines[machine].disk.capacity = .max
        case .storeOutage: store.isAway = false
        case .brokerOutage: brokers.isAway = false
        case .brokersUnreachable(let machine): machines[machine].areBrokersUnreachable = false
        case .unreachable(let machine): machines[machine].isUnreachable = false
        case .storeUnreachable(let machine): machines[machine].isStoreUnreachable = false
        case .shortClockJump(let machine): machines[machine].clock.endShortJump()
        }
    }

    /// From now on the world is as it should be.
    func endFaults() {
        hasFaults = false
        store.isAway = false
        brokers.isAway = false
        for machine in machines {
            machine.disk.capacity = .max
            machine.isUnreachable = false
            machine.isStoreUnreachable = false
            machine.areBrokersUnreachable = false
            setClockRight(machine)
            machine.disk.restartProcess()
            // A group lets nobody miss its changes for ever.
            if machine.hasMissedAssignment { tellAssignment(to: machine.index, in: 10) }
            if machine.replacedDisk != nil {
                putBackJournal(machine)
            } else if machine.process == nil || random.chance(50) {
                planRestart(machine, in: 10)
            }
            // A server that goes on must find its way out of what the faults have left it in.
        }
    }

    private func moveClock(_ machine: Machine) {
        guard swarm.hasShortClockJumps else { return machine.clock.jump(by: number(-4_000_000...4_000_000)) }
        machine.clock.beginShortJump(by: number(31...11_000) * 86_400_000)
        plan(.faultEnds(.shortClockJump(machine: machine.index)), in: number(100...60_000))
    }

    /// A bit of what is durable changes.
    private func damage(_ machine: Machine) {
        guard machine.replacedDisk == nil, let file = machine.disk.names.keys.sorted().randomElement(using: &random)
        else { return }
        let size = machine.disk.bytes(of: file).count
        guard size > 200 else { return }
        machine.disk.flip(file, byte: Int(number(128...Int64(size - 1))), mask: 1 << UInt8(number(0...7)))
        switch machine.damage {
        case .none: machine.damage = .bytes(1)
        case .bytes(let count): machine.damage = .bytes(count + 1)
        case .wide: break
        }
    }

    private func backUpJournal(_ machine: Machine) {
        // A copy of files that are being written would be no copy.
        guard machine.damage == .none, machine.replacedDisk == nil else { return }
        stop(machine)
        machine.backup = machine.disk.copy()
        planRestart(machine, in: number(100...5_000))
    }

    private func restoreJournal(_ machine: Machine) {
        guard let backup = machine.backup, machine.damage == .none, machine.replacedDisk == nil, replacedStore == nil
        else { return }
        stop(machine)
        machine.replacedDisk = machine.disk
        machine.disk = backup.copy()
        planRestart(machine, in: 1_000)
    }

    /// All servers are stopped, and the store is what it was at the backup.
    private func restoreStore() {
        // With several servers one of them could find the copy too old after another has gone on with it.
        guard let backup = store.backup, replacedStore == nil, machines.count == 1, machines[0].replacedDisk == nil
        else { return }
        replacedStore = store.counts
        replaceStore(backup)
    }

    func putBackStore() {
        guard let newer = replacedStore else { return }
        replacedStore = nil
        replaceStore(newer)
    }

    private func replaceStore(_ counts: StoredCounts) {
        for machine in machines {
            stop(machine)
            planRestart(machine, in: number(1_000...5_000))
        }
        schedule.removeAll { event in
            switch event {
            case .storeReceives, .storeAnswers, .storeTimesOut: true
            default: false
            }
        }
        store.counts = counts
        auditor.restored(store)
    }
}
