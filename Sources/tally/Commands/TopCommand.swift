// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import TallyCore

struct TopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top", abstract: "Show the banners with the most events, again and again in a terminal.",
        discussion: "Example: tally top --window 1d --limit 20 --kind impression")

    @OptionGroup var server: ServerOption
    @Option(help: "How far back from now; whole minutes, 1m…366d.")
    var window: String = "1h"
    @Option(help: "How many banners; 1…1000.")
    var limit: String = "10"
    @Option(help: "The kind that is counted (default: click).")
    var kind: String?
    @OptionGroup var traffic: TrafficOption
    @Flag(help: "Once, as in a pipe.")
    var once = false

    func run() async throws {
        let url = try server.url(environment: ProcessEnvironment.variables)
        guard let limit = Int(limit), (1...1_000).contains(limit) else {
            throw OptionValue.wrong("limit", limit, "allowed: 1…1000")
        }
        let window = try TopCommand.minutes(window)
        let kind = try kind.map { try OptionValue.kind($0).name }
        let query =
            [("window", window), ("limit", "\(limit)")] + (kind.map { [("kind", $0)] } ?? [])
            + (try traffic.query())
        let terminal = Terminal.standardOutput(environment: ProcessEnvironment.variables)
        let title = "tally top · \(kind ?? "click") · last \(self.window)"
        let isLive = terminal.isTerminal && !once
        try await Interruption.stopping {
            try await TallyClient.with(url, retries: .never) { client in
                let ask = { try await client.get("/v1/top", query: query, as: TopAnswer.self) }
                if isLive {
                    try await LiveTop(title: title, environment: ProcessEnvironment.variables, ask: ask).run()
                } else {
                    let output = OutputFile.standardOutput()
                    try output.write(TopCommand.text(try await ask()))
                    try output.finish()
                }
            }
        }
    }

    /// As the server reads it.
    static func minutes(_ text: String) throws(CommandFailure) -> String {
        guard let duration = DurationText.duration(text), case (let seconds, 0) = duration.components,
            seconds % 60 == 0, (1...366 * 1_440).contains(seconds / 60)
        else { throw OptionValue.wrong("window", text, "allowed: whole minutes, 1m…366d") }
        return "\(seconds / 60)m"
    }

    static func text(_ answer: TopAnswer) -> String {
        guard !answer.top.isEmpty else { return "nothing was counted from \(answer.from) to \(answer.to)\n" }
        let rows = answer.top.map { entry in
            ["\(entry.banner)", PlainText.of(entry.name ?? "", upTo: 60), NumberText.grouped(entry.count)]
        }
        return TextTable(header: ["banner", "name", "count"], rows: rows, numeric: [0, 2]).text
    }
}
