// SPDX-License-Identifier: Apache-2.0

import TallyCore
import TallyServer
import Testing

@testable import tally

@Suite("Servers that share a log")
struct SharingConfigurationTests {
    private static let nats = "nats://broker/clicks"

    private func configuration(_ flags: [String: String]) throws -> ServerConfiguration {
        var reader = SettingsReader(flags: flags, environment: [:], file: nil)
        return try ServerConfiguration(&reader)
    }

    private func problems(_ flags: [String: String], environment: [String: String] = [:]) -> [String] {
        do {
            var reader = SettingsReader(flags: flags, environment: environment, file: nil)
            _ = try ServerConfiguration(&reader)
            return []
        } catch CommandFailure.usage(let problems) {
            return problems
        } catch {
            return ["another error: \(error)"]
        }
    }

    @Test("with a remote log a process may have some of the roles, and all is as it is said")
    func remote() throws {
        let configuration = try configuration([
            "log": Self.nats, "roles": "query, ingest", "ack": "disk", "spool-limit": "64MiB",
            "aggregators": "a.example:3000, [::1]:80", "partitions": "0-2,7", "ready-within": "0",
        ])
        #expect(configuration.roles == [.ingest, .query])
        #expect(configuration.roles.text == "ingest,query")
        #expect(configuration.sharing.acknowledgement == .disk)
        #expect(configuration.sharing.spoolLimit == 64 << 20)
        #expect(configuration.sharing.aggregators.map(\.description) == ["a.example:3000", "[::1]:80"])
        #expect(configuration.sharing.partitions == .some([0, 1, 2, 7]))
        #expect(configuration.sharing.readyWithin == .zero)
    }

    @Test("with the journal one process has all roles, and is told why")
    func journal() {
        let problems = problems(["roles": "ingest,query"])
        #expect(problems.count == 1)
        #expect(problems.first?.hasPrefix("--roles: “ingest,query”") == true)
        #expect(problems.first?.contains("no other can read its journal") == true)
    }

    @Test(
        "what only a remote log has is refused with the journal, also as it would be by itself",
        arguments: [
            ("ack", "quorum"), ("ack", "disk"), ("spool", "on"), ("spool-limit", "1GiB"), ("aggregators", "a:1"),
            ("partitions", "all"), ("ready-within", "5m"),
        ])
    func onlyRemote(name: String, text: String) {
        let problems = problems([name: text])
        #expect(problems.count == 1)
        #expect(problems.first?.hasPrefix("--\(name): it is for a log on servers of its own") == true)
        let variable = "TALLY_" + name.uppercased().replacing("-", with: "_")
        #expect(self.problems([:], environment: [variable: text]) == problems)
        #expect(self.problems(["log": Self.nats, name: text]) == [])
    }

    @Test("an acknowledgement by the disk needs the spool")
    func diskWithoutSpool() {
        #expect(
            problems(["log": Self.nats, "ack": "disk", "spool": "off"])
                == ["--ack: disk needs the spool, and --spool is off"])
    }

    @Test("the partitions of a topic are shared by the consumer group")
    func kafka() {
        #expect(problems(["log": "kafka://broker/clicks", "partitions": "0-5"]).count == 1)
        #expect(problems(["log": "kafka://broker/clicks", "partitions": "all"]) == [])
    }
}
