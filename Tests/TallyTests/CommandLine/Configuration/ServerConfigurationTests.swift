// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Logging
import TallyCore
import TallyServer
import Testing

@testable import tally

struct ServerConfigurationTests {
    private func reader(
        flags: [String: String] = [:], environment: [String: String] = [:], file: String? = nil
    ) -> SettingsReader {
        SettingsReader(
            flags: flags, environment: environment,
            file: file.map { ConfigurationFile(path: "tally.json", contents: Array($0.utf8)) })
    }

    private func configuration(
        flags: [String: String] = [:], environment: [String: String] = [:], file: String? = nil
    ) throws -> ServerConfiguration {
        var reader = reader(flags: flags, environment: environment, file: file)
        return try ServerConfiguration(&reader)
    }

    private func problems(
        flags: [String: String] = [:], environment: [String: String] = [:], file: String? = nil
    ) -> [String] {
        do {
            _ = try configuration(flags: flags, environment: environment, file: file)
            return []
        } catch CommandFailure.usage(let problems) {
            return problems
        } catch {
            return ["another error: \(error)"]
        }
    }

    @Test func withoutAnythingAllIsDefault() throws {
        let configuration = try configuration()
        #expect(configuration.listen == ListenAddress("127.0.0.1:3000"))
        #expect(configuration.loops == .auto)
        #expect(configuration.loops.count >= 1)
        #expect(configuration.data == "./tally-data")
        #expect(configuration.layout == .minute)
        #expect(configuration.flushEvery == .seconds(60))
        #expect(configuration.acceptLate == .seconds(7 * 86_400))
        #expect(configuration.acceptEarly == .seconds(60))
        #expect(configuration.maxClockAhead == .seconds(400 * 86_400))
        #expect(configuration.deduplicationWindow == .seconds(3_600))
        #expect(configuration.deduplicationLimit == 5_000_000)
        #expect(configuration.maxBanners == 1_000_000)
        #expect(configuration.banners == .any)
        #expect(configuration.kinds == .any)
        #expect(configuration.counterStatus == 204)
        #expect(configuration.segmentSize == 64 << 20)
        #expect(configuration.requestTimeout == .seconds(30))
        #expect(configuration.stopTimeout == .seconds(10))
        #expect(configuration.logLevel == .info)
        #expect(configuration.logFormat == .text)
        #expect(configuration.log == .journal)
        #expect(configuration.store == .sqlite(path: "./tally-data/tally.sqlite"))
        #expect(configuration.roles == [.ingest, .aggregate, .query])
        #expect(configuration.sharing.acknowledgement == .quorum)
        #expect(configuration.sharing.spools)
        #expect(configuration.sharing.spoolLimit == 1 << 30)
        #expect(configuration.sharing.aggregators == [])
        #expect(configuration.sharing.partitions == .all)
        #expect(configuration.sharing.readyWithin == .seconds(300))
    }

    @Test func theFlagWinsOverTheEnvironmentThenTheFileThenTheDefault() throws {
        let flags = ["flush-every": "1s"]
        let environment = ["TALLY_FLUSH_EVERY": "2s", "TALLY_LAYOUT": "hour"]
        let file = #"{"flush-every": "3s", "layout": "minute", "counter-status": 202}"#
        let configuration = try configuration(flags: flags, environment: environment, file: file)
        #expect(configuration.flushEvery == .seconds(1))
        #expect(configuration.layout == .hour)
        #expect(configuration.counterStatus == 202)
        #expect(configuration.stopTimeout == .seconds(10))
    }

    @Test func loopsAreCountedOrLeftToTheCores() throws {
        #expect(try configuration(flags: ["loops": "3"]).loops == .fixed(3))
        for wrong in ["0", "1025", "-1", "two", "+1", ""] {
            #expect(LoopCount(wrong) == nil)
        }
        #expect(problems(flags: ["loops": "0"]).first?.contains("allowed: auto, or 1 to 1024") == true)
    }

    @Test func kindsAreAnyOrCountedOrListed() throws {
        #expect(try configuration(flags: ["kinds": "any"]).kinds == .any)
        #expect(try configuration(flags: ["kinds": "20"]).kinds == .first(20))
        #expect(try configuration(flags: ["kinds": "view"]).kinds == .listed([Kind("view")!]))
        #expect(try configuration(flags: ["kinds": "click,view"]).kinds == .listed([.click, Kind("view")!]))
    }

    @Test func theStoreLiesInTheDataDirectoryUnlessItIsNamed() throws {
        #expect(try configuration(environment: ["TALLY_DATA": "/d"]).store == .sqlite(path: "/d/tally.sqlite"))
        #expect(try configuration(flags: ["data": "/d", "store": "sqlite:/e/f"]).store == .sqlite(path: "/e/f"))
    }

    @Test func anEmptyVariableCountsAsNotSet() throws {
        #expect(try configuration(environment: ["TALLY_LAYOUT": ""]).layout == .minute)
    }

    @Test(
        "a wrong value is named with what is allowed",
        arguments: [
            ("listen", "3000"), ("listen", "localhost:"), ("listen", "localhost:65536"), ("listen", "::1:80"),
            ("data", ""), ("layout", "day"), ("flush-every", "500ms"), ("flush-every", "2h"), ("flush-every", "60"),
            ("accept-late", "3651d"), ("accept-early", "25h"), ("max-clock-ahead", "9m"), ("keep-minutes", "1h"),
            ("keep-hours", "never"),
            ("dedup-window", "8d"), ("dedup-limit", "-1"),
            ("max-banners", "0"), ("banners", "all"), ("kinds", ""), ("kinds", "1"), ("kinds", "257"),
            ("kinds", "view,Purchase"),
            ("kinds", "view,view"), ("counter-status", "201"), ("segment-size", "512KiB"),
            ("segment-size", "2GiB"), ("request-timeout", "0"), ("stop-timeout", "2h"), ("log-level", "loud"),
            ("log-format", "xml"), ("log", "files"), ("store", "sqlite:"), ("store", "mysql://x"),
            ("roles", "ingest,aggregate,query,"), ("roles", "ingest,cook"), ("roles", ""), ("ack", "none"),
            ("spool", "yes"), ("spool-limit", "1KiB"), ("aggregators", "a:1,b"), ("aggregators", "a:0"),
            ("partitions", "5-0"), ("partitions", "0-"), ("partitions", "-1"), ("partitions", "65536"),
            ("partitions", ""), ("ready-within", "25h"), ("ready-within", "soon"),
        ])
    func namesWrongValues(name: String, text: String) throws {
        let problem = try #require(problems(flags: [name: text]).first)
        #expect(problem.hasPrefix("--\(name): “\(text)”"))
        #expect(problem.contains("allowed: "))
    }

    @Test func countsAreKeptForEverUnlessSomethingElseIsSaid() throws {
        #expect(try configuration().retention == .forEver)
        #expect(try configuration(flags: ["keep-minutes": "400d"]).retention == Retention(minutes: 576_000, hours: nil))
        let both = ["keep-minutes": "30d", "keep-hours": "365d"]
        #expect(try configuration(flags: both).retention == Retention(minutes: 43_200, hours: 525_600))
        #expect(try configuration(flags: ["keep-hours": "8d"]).retention == Retention(minutes: nil, hours: 11_520))
    }

    @Test func whatIsKeptIsNoShorterThanWhatIsStillAccepted() {
        #expect(
            problems(flags: ["keep-minutes": "2d", "accept-late": "3d"])
                == ["--keep-minutes: 2d is shorter than --accept-late, 3d, which it must not be"])
        #expect(
            problems(flags: ["keep-minutes": "30d", "keep-hours": "20d"])
                == ["--keep-hours: 20d is shorter than --keep-minutes, 30d, which it must not be"])
    }

    @Test func allProblemsAreToldAtOnceWithTheirPlace() {
        let problems = problems(
            flags: ["layout": "day"], environment: ["TALLY_MAX_BANNERS": "many"],
            file: #"{"flush-evry": "1s", "stop-timeout": "x", "log": {"a": 1}}"#)
        #expect(
            problems == [
                "tally.json: “flush-evry” is no setting; did you mean “flush-every”?",
                "tally.json: “log” must be a text, a number or a list of texts",
                "--layout: “day” is not allowed; allowed: minute|hour",
                "TALLY_MAX_BANNERS: “many” is not allowed; allowed: a number, 1…100000000",
                "“stop-timeout” in tally.json: “x” is not allowed; allowed: a duration with its unit, 0…1h",
            ])
    }

    @Test(
        "a file that is no JSON object is one clear problem",
        arguments: ["", "[]", "{", "7", "{\"layout\": \"hour\" x"])
    func namesBrokenFiles(contents: String) {
        let problems = problems(file: contents)
        #expect(problems.count == 1)
        #expect(problems.first?.hasPrefix("tally.json: it is no JSON object") == true)
    }

    @Test func aListInTheFileIsReadLikeItsCommas() throws {
        #expect(try configuration(file: #"{"roles": ["query", "aggregate", "ingest"]}"#).roles.count == 3)
    }

    @Test func anUnknownVariableIsAWarning() throws {
        var reader = reader(environment: [
            "TALLY_LAYOTU": "hour", "TALLY_CONFIG": "x", "TALLY_SERVER": "y", "PATH": "z",
        ])
        _ = try ServerConfiguration(&reader)
        #expect(reader.warnings.count == 1)
        #expect(reader.warnings.first?.contains("TALLY_LAYOTU") == true)
        #expect(reader.warnings.first?.contains("TALLY_LAYOUT?") == true)
    }

    @Test func aPasswordIsNeverShown() {
        let problems = problems(flags: ["log": "kafka://me:s3cret@broker"])
        #expect(problems.first?.contains("kafka://me:***@broker") == true)
        #expect(Secrets.hidden(in: "https://a:b@c/d@e:f") == "https://a:***@e:f", "perhaps it is a password like b@c/d")
        #expect(Secrets.hidden(in: "postgres://a:b/c?d@e") == "postgres://a:***@e")
        #expect(
            Secrets.hidden(in: "postgres://a@b/c?sslmode=require&password=d&sslPassword=e")
                == "postgres://a@b/c?sslmode=require&password=***&sslPassword=***")
        #expect(Secrets.hidden(in: "https://user@host:80/x") == "https://user@host:80/x")
        #expect(Secrets.hidden(in: "sqlite:a@b") == "sqlite:a@b")
    }

    @Test(
        "a password is not shown where an address is written wrongly",
        arguments: [
            "me:s3cret@host/db", "clickhouses//me:s3cret@host/db", "postgres:/me:s3cret@host/db",
            "host=h user=me password=s3cret dbname=x", "clickhouse://h/db?pasword=s3cret", "postgres://h/db?pwd=s3cret",
            "nats://s3cret@host/stream", "jdbc:postgresql://h/db?user=me&passphrase=s3cret",
        ])
    func aPasswordIsNotShownWhereAnAddressIsWrong(text: String) {
        let problem = problems(flags: ["store": text]).joined()
        #expect(problem.contains("***") && !problem.contains("s3cret"))
        #expect(!Secrets.hidden(in: text).contains("s3cret"))
    }

    @Test func theReportNamesEverySettingOnceWithItsSource() {
        let reader = reader(
            flags: ["layout": "hour"], environment: ["TALLY_DATA": "/d"], file: #"{"max-banners": 7}"#)
        let lines = ConfigurationReport.text(reader).split(separator: "\n").map {
            $0.split(separator: " ", maxSplits: 1)
        }
        #expect(lines.dropFirst().map { String($0[0]) } == ServerSettings.all.map(\.name))
        let rest = Dictionary(uniqueKeysWithValues: lines.map { ($0[0], $0[1].drop { $0 == " " }) })
        #expect(rest["layout"]?.hasPrefix("hour ") == true && rest["layout"]?.hasSuffix(" flag --layout") == true)
        #expect(rest["data"]?.hasSuffix(" environment TALLY_DATA") == true)
        #expect(rest["store"]?.hasPrefix("sqlite:/d/tally.sqlite ") == true)
        #expect(rest["max-banners"]?.hasSuffix(" file tally.json") == true)
        #expect(rest["listen"]?.hasSuffix(" default") == true)
    }

    @Test("every setting is declared well", arguments: KnownSettings.all.map(\.name))
    func everySettingIsDeclaredWell(name: String) throws {
        let setting = try #require(KnownSettings.all.first { $0.name == name })
        #expect(setting.refusal(of: setting.defaultText) == nil, "its default is allowed")
        #expect(KnownSettings.all.count { $0.name == name } == 1)
        #expect(setting.environmentName.hasPrefix("TALLY_"))
    }

    @Test("every setting has its flag", arguments: ServerSettings.all.map(\.name))
    func everySettingHasItsFlag(name: String) throws {
        let flags = try ServerFlags.parse(["--\(name)", "some text"])
        #expect(flags.values == [name: "some text"])
    }

    @Test func anAddressIsWrittenAsItIsRead() {
        for text in ["127.0.0.1:3000", "[::1]:0", "localhost:65535"] {
            #expect(ListenAddress(text)?.description == text)
        }
        #expect(ListenAddress("[::1]:80")?.host == "::1")
    }

    @Test func theNearestNameNeedsTheFewestChanges() {
        #expect(NearestName.distance(Array("kitten".utf8), Array("sitting".utf8)) == 3)
        #expect(NearestName.distance([], Array("abc".utf8)) == 3)
        #expect(NearestName.nearest(to: "lisen", among: ["store", "listen", "log"]) == "listen")
    }
}
