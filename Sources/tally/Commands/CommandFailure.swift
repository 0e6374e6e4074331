// SPDX-License-Identifier: Apache-2.0

/// Why a command ends early, by its exit code.
enum CommandFailure: Error, Equatable {
    /// What was asked for is not allowed; every problem, each a line. Exit code 64, as in `sysexits.h`.
    case usage([String])
    /// It did not work. Exit code 1.
    case failed(String)
    /// Someone pressed Ctrl-C, or the process was told to end. Exit code 128 plus the signal's number.
    /// - Parameter leaving: what the work leaves behind, such as "nothing was changed"; nil when that needs no word.
    case interrupted(signal: Int32, leaving: String? = nil)
    /// Whoever read the output went away, as `head` does: nobody wants more. Exit code 0, quietly.
    case outputClosed

    var code: Int32 {
        switch self {
        case .usage: 64
        case .failed: 1
        case .interrupted(let signal, _): 128 + signal
        case .outputClosed: 0
        }
    }

    /// What to tell on standard error.
    var lines: [String] {
        switch self {
        case .usage(let problems): problems
        case .failed(let problem): [problem]
        case .interrupted(_, let state): ["interrupted" + (state.map { "; \($0)" } ?? "")]
        case .outputClosed: []
        }
    }
}
