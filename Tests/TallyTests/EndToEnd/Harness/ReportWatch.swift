// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The report on a program, and who waits for something to appear in it.
final class ReportWatch: Sendable {
    typealias Report = ChildProcess.Report

    private struct Waiter {
        let deadline: ContinuousClock.Instant
        /// Resumes who waits when the report has what they wait for.
        let isSatisfied: @Sendable (Report) -> Bool
        let giveUp: @Sendable (String, Report) -> Void
    }

    private struct State {
        var report = Report()
        var waiters: [Waiter] = []
    }

    private let state = Mutex(State())

    var report: Report { state.withLock { $0.report } }

    func whileRunning(_ action: () -> Void) {
        state.withLock { state in
            if state.report.exit == nil { action() }
        }
    }

    func update(_ change: (inout Report) -> Void) {
        state.withLock { state in
            change(&state.report)
            let report = state.report
            state.waiters.removeAll { $0.isSatisfied(report) }
            guard report.exit != nil else { return }
            for waiter in state.waiters { waiter.giveUp("the process ended", report) }
            state.waiters = []
        }
    }

    func giveUpWhatIsDue() {
        state.withLock { state in
            let now = ContinuousClock.now
            for waiter in state.waiters where waiter.deadline <= now { waiter.giveUp("time is up", state.report) }
            state.waiters.removeAll { $0.deadline <= now }
        }
    }

    func wait<Found: Sendable>(
        for what: String, within limit: Duration, _ find: @escaping @Sendable (Report) -> Found?
    ) async throws -> Found {
        try await withCheckedThrowingContinuation { continuation in
            let waiter = Waiter(
                deadline: .now + limit,
                isSatisfied: { report in
                    guard let found = find(report) else { return false }
                    continuation.resume(returning: found)
                    return true
                },
                giveUp: { reason, report in continuation.resume(throwing: Self.error(what, reason, report)) })
            add(waiter)
        }
    }

    private func add(_ waiter: Waiter) {
        state.withLock { state in
            if waiter.isSatisfied(state.report) { return }
            if state.report.exit == nil {
                state.waiters.append(waiter)
            } else {
                waiter.giveUp("the process has ended", state.report)
            }
        }
    }

    private static func error(_ what: String, _ reason: String, _ report: Report) -> HarnessError {
        let exit = report.exit.map { "\($0)" } ?? "still running"
        return HarnessError(
            """
            waited for \(what): \(reason) (\(exit))
            --- output
            \(report.outputText)
            --- errors
            \(report.errorText)
            """)
    }
}
