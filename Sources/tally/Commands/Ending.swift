// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// How the process ends: what is printed where, and the exit code.
struct Ending: Equatable {
    var output = ""
    var errors: [String] = []
    var code: Int32 = 0

    /// All went well.
    init() {}

    init(_ error: any Error) {
        if let failure = error as? CommandFailure {
            errors = failure.lines.map { "tally: \($0)" }
            code = failure.code
            return
        }
        code = Tally.exitCode(for: error).rawValue
        if code == 0 {
            output = Tally.fullMessage(for: error) + "\n"
        } else {
            let message = Tally.message(for: error).split(separator: "\n").joined(separator: " ")
            errors = ["tally: \(message)"]
        }
    }
}
