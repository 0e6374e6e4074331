// SPDX-License-Identifier: Apache-2.0

/// Whether a process is ready to answer what was counted: not before its answers hold what the log held at its start, unless
/// that takes longer than `limit`.
struct StartReadiness: Sendable {
    /// Since the start of the process. Zero waits for nothing.
    let limit: Duration

    /// - Parameters:
    ///   - lacking: what answers lack of what the log held at the start, a line each; empty when they lack nothing.
    ///   - problems: what else does not work. It keeps no process from being ready.
    ///   - elapsed: since the start.
    func readiness(lacking: [String], problems: [String], after elapsed: Duration) -> Readiness {
        if !lacking.isEmpty, elapsed < limit { return .notReady(reasons: lacking) }
        let all = lacking + problems.filter { !lacking.contains($0) }
        return all.isEmpty ? .ready : .counting(butNot: all.joined(separator: "; "))
    }
}
