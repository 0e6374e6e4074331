// SPDX-License-Identifier: Apache-2.0

import Synchronization

#if canImport(Glibc)
import Glibc
#endif

/// Many worlds, on all cores.
struct Batch {
    let seeds: Int
    let steps: Int
    let first: UInt64
    /// After so many no more are begun.
    let mostFailures: Int

    private struct Sums {
        var steps = 0
        var counters = Counters()
        var mostStepsToConverge = 0
        var fingerprint: UInt64 = 0
        var milliseconds: Int64 = 0
        var failures: [Simulation.Report] = []

        mutating func add(_ report: Simulation.Report) {
            steps += report.steps
            counters.add(report.counters)
            mostStepsToConverge = max(mostStepsToConverge, report.stepsToConverge)
            // A sum does not depend on which core was faster.
            fingerprint &+= report.fingerprint
            milliseconds += report.simulatedMilliseconds
            if report.violation != nil { failures.append(report) }
        }
    }

    func run() async {
        let clock = ContinuousClock()
        let start = clock.now
        let sums = await all()
        RunningSeeds.expectNothing()
        let seconds =
            Double((clock.now - start).components.seconds) + Double((clock.now - start).components.attoseconds) / 1e18
        for failure in sums.failures.sorted(by: { $0.seed < $1.seed }).prefix(mostFailures) {
            print(failure.description)
        }
        print(
            """
            \(seeds) seeds, \(sums.steps) steps: \(sums.counters.description)
            \(sums.milliseconds / 86_400_000) simulated days in \(Int(seconds)) s: \(Int(Double(sums.steps) / seconds)) steps/s, \
            \(Int(Double(sums.counters[.admittedEvents]) / seconds)) events/s; converged within \(sums.mostStepsToConverge) steps
            fingerprint \(String(sums.fingerprint, radix: 16))
            \(sums.failures.count) seeds failed
            """)
        if !sums.failures.isEmpty { exit(1) }
    }

    /// What the workers share.
    private final class Progress: Sendable {
        let next = Atomic<Int>(0)
        let sums = Mutex(Sums())
    }

    private func all() async -> Sums {
        let progress = Progress()
        await withTaskGroup(of: Void.self) { group in
            for worker in 0..<max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) {
                group.addTask { self.work(worker, progress) }
            }
        }
        return progress.sums.withLock { $0 }
    }

    /// Runs one seed after the other, until there are none or too many have failed.
    private func work(_ worker: Int, _ progress: Progress) {
        defer { RunningSeeds.note(0, of: worker) }
        while progress.sums.withLock({ $0.failures.count < mostFailures }) {
            let number = progress.next.add(1, ordering: .relaxed).oldValue
            if number >= seeds { return }
            let seed = first &+ UInt64(number)
            RunningSeeds.note(seed, of: worker)
            RunningSeeds.expectProgress()
            let report = Simulation.run(seed: seed, steps: steps)
            progress.sums.withLock { $0.add(report) }
        }
    }
}

extension Simulation.Report: CustomStringConvertible {
    package var description: String {
        let outcome = violation.map { "FAILED: \($0)" } ?? "all as promised"
        return """
            seed \(seed): \(outcome)
              \(steps) steps, the last \(stepsToConverge) to converge, \(simulatedMilliseconds / 60_000) simulated minutes
              \(counters.description)
              history \(String(fingerprint, radix: 16))
            """
    }
}
