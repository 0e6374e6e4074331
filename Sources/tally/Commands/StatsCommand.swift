// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import TallyCore

struct StatsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats", abstract: "Show the counts of a banner.",
        discussion: "Example: tally stats 42 --last 1d --step 1h")

    @Argument(help: "The banner, by id or name.")
    var banner: String
    @OptionGroup var server: ServerOption
    @Option(help: "The first minute, as 2015-05-17T10:05:00Z or 2015-05-17.")
    var from: String?
    @Option(help: "The end, not included (default: now).")
    var to: String?
    @Option(help: "Instead of --from: so long back from the end (default: 1h; allowed: 1m…3650d).")
    var last: String?
    @Option(help: "How long a row lasts: 1m, 5m, 1h or 1d (default: 1m up to 2h, 1h up to 3d, else 1d).")
    var step: String?
    @Option(help: "Only this kind; may be repeated (default: all).")
    var kind: [String] = []

    func run() async throws {
        let environment = ProcessEnvironment.variables
        let url = try server.url(environment: environment)
        let range = try self.range(now: Timestamp(milliseconds: Int64(time(nil)) * 1_000))
        let step = try step.map { text throws(CommandFailure) in try OptionValue.word("step", text, as: Step.self) }
        let query =
            [
                ("from", range.lowerBound.text()), ("to", range.upperBound.text()),
                ("step", (step ?? Step.fitting(range)).rawValue),
            ] + (try kind.map(OptionValue.kind).map { ("kind", $0.name) })
        let terminal = Terminal.standardOutput(environment: environment)
        // A chart has a place for each step, also where nothing was counted.
        let filling = terminal.isTerminal && terminal.isUnicode ? [("fill", "zero")] : []
        try await Interruption.stopping {
            let answer = try await TallyClient.with(url, retries: .never) { client in
                let banner = try await client.banner(banner)
                return try await client.get(
                    "/v1/series", query: query + filling + [("banner", "\(banner)")], as: SeriesAnswer.self)
            }
            let output = OutputFile.standardOutput()
            try output.write(SeriesTable(answer: answer, terminal: terminal).text)
            try output.finish()
        }
    }

    /// - Throws: `.usage` when the flags contradict each other.
    func range(now: Timestamp) throws(CommandFailure) -> Range<Minute> {
        if from != nil, last != nil { throw .usage(["--from and --last say the same: give one of them"]) }
        var end = now
        if let to { end = try OptionValue.time("to", to) }
        if let from { return try TimeRange.minutes(from: try OptionValue.time("from", from), to: end) }
        let length = try OptionValue.duration("last", last ?? "1h")
        return try TimeRange.minutes(from: end.advanced(by: .zero - length), to: end)
    }

    enum Step: String, CaseIterable, Sendable {
        case minute = "1m"
        case fiveMinutes = "5m"
        case hour = "1h"
        case day = "1d"

        /// Not more rows than someone wants to read.
        static func fitting(_ range: Range<Minute>) -> Step {
            switch Int64(range.upperBound.sinceEpoch) - Int64(range.lowerBound.sinceEpoch) {
            case ...120: .minute
            case ...(3 * 1_440): .hour
            default: .day
            }
        }
    }
}
