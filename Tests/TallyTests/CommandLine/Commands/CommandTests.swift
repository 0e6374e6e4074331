// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import TallyCore
import Testing

@testable import tally

struct CommandTests {
    @Test(
        "wrong usage is one line and exit code 64",
        arguments: [
            ["serve", "--lisen", "x"], ["serve", "--listen"], ["cook"], ["serve", "extra"],
            ["serve", "--layout", "day"],
            ["stats"], ["stats", "1", "--from", "soon"], ["stats", "1", "--from", "2020-01-01", "--last", "1h"],
            ["stats", "1", "--from", "2020-01-02", "--to", "2020-01-01"], ["stats", "1", "--step", "2m"],
            ["stats", "1", "--last", "1s"], ["stats", "1", "--kind", "Click"], ["stats", "1", "--server", "nowhere"],
            ["top", "--limit", "0"], ["top", "--window", "1"], ["top", "--window", "90s"],
            ["top", "--window", "367d"], ["top", "--kind", "-"],
            ["import", "/dev/null", "--format", "xml"], ["import", "/dev/null", "--match", "a"],
            ["import", "/dev/null", "--format", "csv", "--match", "(a)"], ["import", "/dev/null", "--format", "log"],
            ["import", "/dev/null", "--kind", "9"], ["export", "--columns", "minutes"], ["export", "--format", "xml"],
            ["export", "--to", "x"], ["journal", "dump", "--from", "-"], ["journal", "dump", "--from", "-1"],
            ["log", "dump", "--from", "x"], ["log", "dump", "--partition", "-1"], ["log", "lag", "--log", "kafka://a"],
            ["serve", "--roles", "ingest"], ["journal", "repair", "--identity", "7"],
            ["store", "convert", "--to", "day"], ["store", "convert"],
        ])
    func wrongUsage(arguments: [String]) async {
        let ending = await Tally.ending(of: arguments)
        #expect(ending.code == 64)
        #expect(ending.output.isEmpty)
        #expect(ending.errors.count == 1)
        #expect(ending.errors.first?.hasPrefix("tally: ") == true)
        #expect(ending.errors.first?.contains("\n") == false)
    }

    @Test func helpGoesToStandardOutputAndNamesDefaultsAndUnits() async {
        let ending = await Tally.ending(of: ["serve", "--help"])
        #expect(ending.code == 0)
        #expect(ending.errors.isEmpty)
        let text = ending.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        for setting in ServerSettings.all {
            #expect(text.contains("--\(setting.name) "))
            #expect(text.contains("default: \(setting.defaultText); allowed: \(setting.allowed))"))
        }
    }

    @Test(
        "who mistypes a command or a flag is told where the help is",
        arguments: [
            (["serv"], "tally: Unexpected argument 'serv'. See 'tally --help'"),
            (["top", "--limt"], "tally: Unknown option '--limt'. Did you mean '--limit'? See 'tally top --help'"),
            (["store", "convert"], "tally: Missing expected argument '--to <to>'. See 'tally store convert --help'"),
        ])
    func wrongUsageNamesTheHelp(arguments: [String], beginning: String) async {
        let errors = await Tally.ending(of: arguments).errors
        #expect(errors.first?.hasPrefix(beginning) == true, "\(errors)")
    }

    @Test func everyCommandHasHelp() async {
        for command in ["serve", "stats", "top", "import", "export", "journal", "log", "store", "version"] {
            #expect(await Tally.ending(of: ["help", command]).output.contains("USAGE: tally \(command)"))
        }
    }

    @Test(
        "no help tells a default twice",
        arguments: ["serve", "stats", "top", "import", "export", "journal repair", "journal dump", "store convert"])
    func defaultsAreToldOnce(command: String) async {
        let help = await Tally.ending(of: ["help"] + command.split(separator: " ").map(String.init)).output
        let text = help.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(text.contains("USAGE: tally \(command)"))
        #expect(text.firstMatch(of: /\(default: [^)]*\)\.? \(default:/) == nil)
    }

    @Test func theVersionIsPrinted() async {
        #expect(await Tally.ending(of: ["--version"]).output == "\(Version.text)\n")
    }

    @Test func aMissingFileFails() async {
        let ending = await Tally.ending(of: ["import", "/nonexistent", "--format", "csv"])
        #expect(ending == Ending(CommandFailure.failed("/nonexistent: No such file or directory")))
        #expect(ending.code == 1)
    }

    @Test func anEmptyFileIsCalledEmptyWhateverItsFormat() async {
        for format in ["auto", "csv", "ndjson"] {
            let ending = await Tally.ending(of: ["import", "/dev/null", "--format", format])
            #expect(ending == Ending(CommandFailure.failed("/dev/null: it is empty")))
        }
    }

    @Test func endingsHaveTheirCodes() {
        #expect(Ending(CommandFailure.usage(["a", "b"])).errors == ["tally: a", "tally: b"])
        #expect(Ending(CommandFailure.interrupted(signal: SIGINT)).code == 130)
        #expect(Ending(CommandFailure.interrupted(signal: SIGINT)).errors == ["tally: interrupted"])
        let stopped = CommandFailure.interrupted(signal: SIGTERM, leaving: "all is well")
        #expect(Ending(stopped).errors == ["tally: interrupted; all is well"])
        #expect(Ending(CommandFailure.outputClosed) == Ending())
        #expect(Ending() == Ending(CommandFailure.outputClosed))
    }

    @Test func workThatFailsByItselfIsNoInterruption() async throws {
        await #expect(throws: CommandFailure.failed("x")) {
            try await Interruption.stopping { throw CommandFailure.failed("x") }
        }
    }

    @Test func theLastHourIsTheDefaultOfStats() throws {
        let now = Timestamp(milliseconds: 1_431_857_103_000)
        let hour = try StatsCommand.parse(["1"]).range(now: now)
        #expect(hour.lowerBound.text() == "2015-05-17T09:05:00Z")
        #expect(hour.upperBound.text() == "2015-05-17T10:06:00Z")
        let day = try StatsCommand.parse(["1", "--last", "1d", "--to", "2015-05-17"]).range(now: now)
        #expect(day.lowerBound.text() == "2015-05-16T00:00:00Z")
        #expect(day.upperBound.text() == "2015-05-17T00:00:00Z")
        #expect(StatsCommand.Step.fitting(hour) == .minute)
        #expect(StatsCommand.Step.fitting(day) == .hour)
    }

    @Test func theWindowOfTopIsSentInMinutes() throws {
        #expect(try TopCommand.minutes("1h") == "60m")
        #expect(try TopCommand.minutes("366d") == "527040m")
        #expect(try TopCommand.minutes("120s") == "2m")
    }

    private func series(_ kind: String, _ counts: [(String, Int64)]) -> SeriesAnswer.Series {
        SeriesAnswer.Series(
            banner: StoreTest.banner(1), kind: kind,
            points: counts.map { .init(time: $0.0, count: $0.1, isFinal: $0.0 != "10:02") })
    }

    @Test func statsAreATableByTimeAndKind() {
        let answer = SeriesAnswer(
            from: "a", to: "b", step: "1m",
            series: [series("impression", [("10:01", 1_000)]), series("click", [("10:01", 1), ("10:02", 8)])])
        let plain = SeriesTable(answer: answer, terminal: Terminal(width: nil, isUnicode: true)).text
        #expect(
            plain == """
                time   click  impression
                10:01      1       1,000
                10:02      8           0  still counting

                click: 9
                impression: 1,000

                """)
        let shown = SeriesTable(answer: answer, terminal: Terminal(width: 80, isUnicode: true)).text
        #expect(shown.hasPrefix(plain.prefix { $0 != ":" }), "the table is the same")
        #expect(shown.contains("click: 9\n8 ▕      ██████\n"))
        #expect(shown.contains("\n0 ▕████████████\n   10:01  10:02\n"))
    }

    @Test func nothingCountedIsSaid() {
        let answer = SeriesAnswer(from: "a", to: "b", step: "1m", series: [])
        #expect(
            SeriesTable(answer: answer, terminal: Terminal(width: nil, isUnicode: false)).text
                == "nothing was counted from a to b\n")
        #expect(TopCommand.text(TopAnswer(from: "a", to: "b", top: [])) == "nothing was counted from a to b\n")
    }

    @Test func trafficIsAskedForWhereItIsNotAllOfIt() throws {
        func query(_ arguments: [String]) throws -> [String] {
            try TrafficOption.parse(arguments).query().map { "\($0.name)=\($0.value)" }
        }
        #expect(try query([]) == [])
        #expect(try query(["--traffic", "gross"]) == [])
        #expect(try query(["--traffic", "net"]) == ["traffic=net"])
        #expect(try query(["--traffic", "invalid"]) == ["traffic=invalid"])
        #expect {
            try query(["--traffic", "all"])
        } throws: { error in
            "\(error)".contains("gross, net, invalid")
        }
    }

    @Test func topIsATableWithHarmlessNames() {
        let top = [
            TopAnswer.Entry(banner: StoreTest.banner(7), name: "a\u{1B}[2J", count: 12_345),
            .init(banner: StoreTest.banner(10), name: nil, count: 1),
        ]
        #expect(
            TopCommand.text(TopAnswer(from: "a", to: "b", top: top)) == """
                banner  name         count
                     7  a\\u{1b}[2J  12,345
                    10                   1

                """)
    }

    @Test func aReportShowsFactsAndProblems() {
        let report = MaintenanceReport(
            facts: [.init(name: "segments", value: "3"), .init(name: "ok", value: "no")],
            problems: ["a is broken", "b too"])
        #expect(MaintenanceRun.text(report) == "segments  3\nok        no\nproblem: a is broken\nproblem: b too\n")
        #expect(MaintenanceRun.failure(report) == .failed("2 problems found"))
    }
}
