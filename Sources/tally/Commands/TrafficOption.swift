// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// Which events a command asks for.
struct TrafficOption: ParsableArguments {
    enum Choice: String, CaseIterable, Sendable {
        case gross
        case net
        case invalid
    }

    @Option(help: "All events, those without invalid ones, or these: gross, net or invalid.")
    var traffic: String = "gross"

    /// What to ask the server; nothing for what it answers anyway.
    func query() throws(CommandFailure) -> [(name: String, value: String)] {
        let choice = try OptionValue.word("traffic", traffic, as: Choice.self)
        return choice == .gross ? [] : [("traffic", choice.rawValue)]
    }
}
