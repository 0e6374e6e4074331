// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// Runs the world of one seed: first with faults, then without, until everything has converged.
package struct Simulation {
    package struct Report: Sendable {
        package let seed: UInt64
        /// What was not as promised; nil when everything was.
        package var violation: String?
        /// All steps, and those that it took to converge.
        package var steps = 0
        package var stepsToConverge = 0
        /// Of all that happened.
        package var fingerprint: UInt64 = 0
        package var counters = Counters()
        package var simulatedMilliseconds: Int64 = 0
        /// What happened, when it was asked for.
        package var history: [String] = []
    }

    /// Without faults, everything acknowledged must be in the store after so many steps, and so many more for each chunk
    /// that waits in a spool: it is sent, arrives, is answered and counted.
    package static let convergenceSteps = (always: 5_000, forEachSpooledChunk: 10)

    /// - Parameter steps: with faults.
    package static func run(seed: UInt64, steps: Int, keepsHistory: Bool = false) -> Report {
        let world = World(seed: seed, keepsHistory: keepsHistory)
        var report = Report(seed: seed)
        while report.steps < steps, world.auditor.violation == nil, world.step() { report.steps += 1 }
        world.endFaults()
        let limit = convergenceSteps.always + convergenceSteps.forEachSpooledChunk * world.auditor.spooledChunks
        while world.auditor.violation == nil, !world.hasConverged {
            guard report.stepsToConverge < limit, world.step() else {
                world.auditor.require(false, "not everything came to rest: \(world.unrest)")
                break
            }
            report.stepsToConverge += 1
        }
        world.auditor.checkEnd(world.store)
        world.auditor.checkSpools()
        report.steps += report.stepsToConverge
        report.fill(from: world)
        return report
    }
}

extension Simulation.Report {
    fileprivate mutating func fill(from world: World) {
        violation = world.auditor.violation
        fingerprint = world.history.fingerprint
        counters = world.counters
        simulatedMilliseconds = world.now
        history = world.history.lines ?? []
    }
}

extension World {
    /// Every client has its answer, every server runs, and the store has everything.
    var hasConverged: Bool { unrest.isEmpty }

    var unrest: String {
        if let client = clients.first(where: { $0.request != nil }) { return "client \(client.index) waits" }
        for machine in machines {
            guard let process = machine.process else { return "machine \(machine.index) is down" }
            let unrest = unrest(of: process)
            if !unrest.isEmpty { return "machine \(machine.index) \(unrest)" }
        }
        for number in brokers.partitions.indices {
            let unrest = unrest(ofPartition: number)
            if !unrest.isEmpty { return unrest }
        }
        return ""
    }

    private func unrest(ofPartition number: Int) -> String {
        let partition = brokers.partitions[number]
        for machine in [partition.owner, partition.reserve].compactMap(\.self) {
            let process = machines[machine].process
            if process?.counting[partition.account]?.aggregator?.position != partition.end {
                return "\(partition.log) is not counted to its end"
            }
            if let problem = process?.duties.problem(of: number) { return "\(partition.log) has a problem: \(problem)" }
        }
        return ""
    }

    private func unrest(of process: Process) -> String {
        if machine(of: process.id).role != .aggregate {
            guard let intake = process.intake else { return "has not started" }
            if !intake.admitted.isEmpty || !isIdle(intake.way) { return "has events to commit" }
        }
        for counting in process.counting.values {
            guard let aggregator = counting.aggregator else { return "has not started to count" }
            if !aggregator.missing.isEmpty { return "misses chunks" }
            if aggregator.hasUnflushed || aggregator.hasRowsToLoad { return "has rows to flush" }
            if counting.openCall != nil { return "waits for the store" }
        }
        return ""
    }

    private func isIdle(_ way: Intake.Way) -> Bool {
        switch way {
        case .journal(let way): way.commits.isIdle && way.commits.failure == nil
        case .brokers(let way):
            way.commits.isIdle && way.forwarder.position == way.spool.lastOffset && way.account.bytes == 0
                && !way.forwarder.isLogAway
        }
    }
}
