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
            errors = ["tally: \(Ending.usageProblem(error))"]
        }
    }

    /// What the parser of the arguments says is wrong, with the command that helps.
    private static func usageProblem(_ error: any Error) -> String {
        let message = Tally.message(for: error).split(separator: "\n").joined(separator: " ")
        let lines = Tally.fullMessage(for: error).split(separator: "\n").map { $0.drop(while: \.isWhitespace) }
        guard let help = lines.last(where: { $0.hasPrefix("See ") && $0.contains("--help") }) else { return message }
        let isSentence = message.last.map { ".?!".contains($0) } ?? true
        return message + (isSentence ? " " : ". ") + help
    }
}
