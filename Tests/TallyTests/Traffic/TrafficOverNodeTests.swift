// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPTypes
import Hummingbird
import TallyCore
import Testing

@testable import TallyServer

@Suite("Invalid events in the whole server")
struct TrafficOverNodeTests {
    private static let bot = "User-Agent: Googlebot/2.1\r\n"
    private static let person = "User-Agent: Mozilla/5.0 (X11; Linux x86_64) Firefox/133.0\r\n"

    private static func request(_ line: String, _ fields: String = "") -> String {
        "\(line) HTTP/1.1\r\nHost: x\r\n\(fields)\r\n"
    }

    private static func configuration(_ change: (inout TrafficJudge.Configuration) -> Void) -> HTTPConfiguration {
        var rules = TrafficJudge.Configuration()
        change(&rules)
        return HTTPConfiguration(port: 0, judge: TrafficJudge(rules))
    }

    private func counts(_ node: CountingNode) async throws -> [String: Int64] {
        let totals = try await node.totals(in: .everything).value
        return Dictionary(uniqueKeysWithValues: totals.map { ("\($0.banner) \($0.kind)", $0.count) })
    }

    /// Plain requests, and such as only the routes count.
    private static let mixed = [
        request("GET /counter/1", bot), request("GET /counter/1", person), request("GET /counter/1"),
        request("GET /v1/pixel/1", bot), request("GET /counter/1?kind=view", bot), request("POST /v1/beacon/2", bot),
        request("GET /counter/3?id=a", bot), request("GET /counter/3?id=a", person),
        request("GET /counter/2", person + bot), request("GET /counter/2", "Origin: https://a.example\r\n" + bot),
    ].joined()

    @Test(arguments: [true, false]) func `whichever way a request takes, its verdict is the same`(hotPath: Bool)
        async throws
    {
        try await HotServer.with(hotPath: hotPath) { server in
            _ = try await server.exchange(Self.mixed)
            let counts = try await counts(server.node)
            #expect(
                counts == [
                    "1 click": 3, "1 click.bot": 1, "1 impression": 1, "1 impression.bot": 1, "1 view": 1,
                    "1 view.bot": 1,
                    "2 click": 3, "2 click.bot": 3, "3 click": 1, "3 click.bot": 1,
                ])
            #expect(server.node.statistics.counted == 9)
            #expect(server.node.statistics.invalid[.bot] == 7)
        }
    }

    @Test(arguments: [true, false]) func `a burst is counted over all connections and both ways`(hotPath: Bool)
        async throws
    {
        let configuration = Self.configuration { $0.burst = 4 }
        try await HotServer.with(hotPath: hotPath, configuration: configuration, loops: 2) { server in
            for _ in 0..<3 {
                _ = try await server.exchange(
                    Self.request("GET /counter/1", Self.person) + Self.request("GET /counter/1?x=y", Self.person))
            }
            _ = try await server.exchange(Self.request("GET /counter/1") + Self.request("GET /counter/2", Self.person))
            let counts = try await counts(server.node)
            #expect(counts == ["1 click": 7, "1 click.burst": 2, "2 click": 1])
        }
    }

    @Test(arguments: [true, false])
    func `behind a proxy a visitor is whom it names, if it is trusted`(hotPath: Bool) async throws {
        let requests = (1...3).map {
            Self.request("GET /counter/1", "X-Forwarded-For: 198.51.100.\($0)\r\n")
                + Self.request("GET /counter/1?x=y", "X-Forwarded-For: 198.51.100.\($0)\r\n")
        }.joined()
        let trusted = Self.configuration { rules in
            rules.burst = 1
            rules.trustedProxies = TrustedProxies("127.0.0.0/8") ?? .none
        }
        try await HotServer.with(hotPath: hotPath, configuration: trusted) { server in
            _ = try await server.exchange(requests)
            let counts = try await counts(server.node)
            #expect(counts == ["1 click": 6, "1 click.burst": 3])
        }
        try await HotServer.with(hotPath: hotPath, configuration: Self.configuration { $0.burst = 1 }) { server in
            _ = try await server.exchange(requests)
            let counts = try await counts(server.node)
            #expect(counts == ["1 click": 6, "1 click.burst": 5], "an untrusted header makes no new visitor")
        }
    }

    @Test(
        arguments: [true, false], ["X-Real-IP: 198.51.100.#", "Forwarded: for=\"[2001:db8:#::1]:4711\";proto=https"])
    func `the field of the address may be another`(hotPath: Bool, field: String) async throws {
        let name = String(field.prefix { $0 != ":" })
        let requests = (1...3).map { number in
            let fields = field.replacing("#", with: "\(number)") + "\r\nX-Forwarded-For: 203.0.113.\(number)\r\n"
            return Self.request("GET /counter/1", fields) + Self.request("GET /counter/1?x=y", fields)
        }.joined()
        func burst(_ name: String, _ proxies: String) async throws -> Int64? {
            let configuration = Self.configuration { rules in
                rules.burst = 1
                rules.trustedProxies = TrustedProxies(proxies) ?? .none
                rules.addressField = ClientAddressField(name) ?? .forwardedFor
            }
            return try await HotServer.with(hotPath: hotPath, configuration: configuration) { server in
                _ = try await server.exchange(requests)
                return try await counts(server.node)["1 click.burst"]
            }
        }
        #expect(try await burst(name, "127.0.0.0/8") == 3, "three visitors, twice each")
        #expect(try await burst(name, "192.0.2.1") == 5, "the peer is no trusted proxy")
        #expect(try await burst("CF-Connecting-IP", "127.0.0.0/8") == 5, "nothing stands there")
    }

    @Test func `what is invalid is told apart on the live stream, and in the metrics`() async throws {
        try await HotServer.with { server in
            _ = try await server.exchange(Self.request("GET /counter/7", Self.bot) + Self.request("GET /counter/7"))
            let topic = LiveTopic(banners: [BannerID(7)!], sums: true)
            let state = String(buffer: try await server.node.live.beginning(of: topic, after: nil).text)
            #expect(
                state.contains(/"sums":\[{"kind":"click","ts":"[^"]+","v":2}\],"minutes":\[{"banner":7,"kind":"click"/))
            #expect(state.contains(/"invalidSums":\[{"kind":"click","reason":"bot","ts":"[^"]+","v":1}\]/))
            #expect(
                state.contains(/"invalidMinutes":\[{"banner":7,"kind":"click","reason":"bot","ts":"[^"]+","v":1}\]/))
            let registry = MetricsRegistry()
            server.node.report(to: registry)
            let text = registry.prometheusText
            #expect(text.contains("tally_invalid_events_total{reason=\"bot\"} 1.0\n"))
            #expect(text.contains("tally_invalid_events_total{reason=\"burst\"} 0.0\n"))
        }
    }

    @Test func `they outlive a restart, and do not use up the kinds that a user may have`() async throws {
        let fixture = NodeFixture()
        try await HotServer.with(fixture: fixture) { server in
            for number in 2..<Limits.kinds {
                _ = try await server.exchange(Self.request("GET /counter/1?kind=kind_\(number)", Self.bot))
            }
            let answer = try await server.exchange(Self.request("GET /counter/1?kind=kind", Self.bot))
            #expect(answer.contains("400") || answer.contains("403"))
        }
        try await fixture.run { node in
            let totals = TrafficTotal.all(try await node.totals(in: .everything).value)
            #expect(totals.count == Limits.kinds - 2)
            #expect(totals.allSatisfy { $0.gross.count == 1 && $0.count(.net) == 0 })
            #expect(try await node.count(banner: 1, kind: Kind("kind_7")!).offset.value > 0)
        }
    }

    @Test func `a chunk of another node can't say what is invalid`() async throws {
        try await NodeFixture().run { node in
            var builder = ChunkBuilder()
            _ = builder.add(
                CountedEvent(banner: BannerID(1)!, kind: .click, minute: .first, count: 1, invalid: .bot))
            let chunk = builder.chunk(node: NodeID(bits: 9), sequence: 1, time: .epoch)
            let answer = try await Routes(service: node).send(.post, "/v1/chunks", bytes: chunk.encoded())
            #expect(answer.status == 400)
            #expect(answer.error.contains("click.bot is the server's own"))
        }
    }
}
