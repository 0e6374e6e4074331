// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEndTests {
    /// The promise, tried on the real program: whatever is acknowledged is counted, once, however often the process dies.
    @Suite("Killed at any moment, the server counts what it acknowledged")
    struct CrashTests {
        /// For all layouts together.
        private static let rounds = ProcessInfo.processInfo.environment["TALLY_CRASH_ROUNDS"].flatMap { Int($0) } ?? 25

        @Test("every count is what was acknowledged", arguments: ["minute", "hour"])
        func countsWhatWasAcknowledged(layout: String) async throws {
            let seed = try CrashPlan.seedOfThisRun()
            let rounds = (Self.rounds + 1) / 2
            print("Crash test: layout \(layout), \(rounds) rounds, TALLY_SEED=\(seed)")
            try await withSandbox { sandbox in
                let test = CrashRun(sandbox: sandbox, layout: layout, plan: CrashPlan(seed: seed))
                do {
                    let answered = try await test.run(rounds: rounds)
                    print("Crash test: layout \(layout), \(answered) requests were answered")
                } catch {
                    Issue.record("\(error)\nRepeat with TALLY_SEED=\(seed)")
                }
            }
        }
    }
}
