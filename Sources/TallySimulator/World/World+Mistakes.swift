// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// Servers that are configured wrongly, or count wrongly.
extension World {
    /// A server is started with other settings than its log was counted with: it must be refused.
    func misconfigure(_ machine: Machine) {
        // A repaired or replaced journal is looked at by an operator already.
        guard machine.damage == .none, machine.replacedDisk == nil, replacedStore == nil else { return }
        var settings = swarm.settings
        switch number(0...2) {
        case 0: settings.windowMilliseconds += number(1...1_000_000)
        case 1: settings.windowLimit += Int(number(1...100))
        default: settings.lateMinutes += number(1...100)
        }
        stop(machine)
        machine.otherSettings = settings
        planRestart(machine, in: number(100...5_000))
    }

    /// The settings with which a machine counts this log. A log that has none yet adopts those of the first server, so the mistake
    /// is made only where it can be noticed.
    func settings(of log: LogID, on machine: Machine) -> CountingSettings {
        guard let other = machine.otherSettings, store.counts.checkpoint(of: log)?.settings != nil else {
            return swarm.settings
        }
        return other
    }

    /// The operator reads why the start was refused.
    func correctSettings(_ machine: Machine, _ counting: Counting) {
        auditor.require(counting.hasOtherSettings, "the settings of the deployment are refused")
        counters[.refusedStarts] += 1
        history.note("settings", Int64(machine.index))
        stop(machine)
        machine.otherSettings = nil
        planRestart(machine, in: number(100...5_000))
    }

    /// A server that is not part of the deployment writes another sum of a stored row: it must be reported, and change nothing.
    func contradict() {
        let rows = store.counts.rows(in: .everything, layout: swarm.layout).sorted {
            ($0.log, $0.row.key) < ($1.log, $1.row.key)
        }
        if rows.isEmpty { return }
        let stored = rows[Int(number(0...Int64(rows.count - 1)))]
        var given = stored.row
        given.counts[0] = given.counts[0].addingSaturated(1)
        if given.counts == stored.row.counts { return }
        let conflicts = store.counts.merge([given], of: stored.log)
        history.note("contradiction", stored.row.upTo.value)
        auditor.contradicted(stored.row, by: given, of: stored.log, conflicts, store)
    }
}
