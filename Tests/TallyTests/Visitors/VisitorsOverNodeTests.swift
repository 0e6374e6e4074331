// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import NIOCore
import TallyCore
import Testing

@testable import TallyServer

@Suite("Unique visitors in the whole server")
struct VisitorsOverNodeTests {
    private static let today = Day(of: Minute(ManualClock().now()))

    private static var configuration: HTTPConfiguration {
        var rules = TrafficJudge.Configuration()
        rules.visitors = true
        rules.trustedProxies = TrustedProxies("127.0.0.0/8") ?? .none
        return HTTPConfiguration(port: 0, judge: TrafficJudge(rules))
    }

    private static func requests(_ visitors: ClosedRange<Int>, to path: String) -> String {
        visitors.map { "GET \(path) HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 198.51.100.\($0)\r\n\r\n" }.joined()
    }

    private static func visitors(_ node: CountingNode, _ banners: Set<BannerID> = [BannerID(1)!]) async throws
        -> [Int64]
    {
        try await node.visitors(of: banners, in: today...today).map(\.visitors)
    }

    @Test(arguments: [true, false]) func `whichever way a request takes, its visitor is the same`(hotPath: Bool)
        async throws
    {
        let fixture = NodeFixture()
        try await HotServer.with(
            hotPath: hotPath, fixture: fixture, configuration: Self.configuration
        ) { server in
            _ = try await server.exchange(Self.requests(1...30, to: "/counter/1"))
            _ = try await server.exchange(Self.requests(1...30, to: "/counter/1?x=y"))
            _ = try await server.exchange(Self.requests(1...30, to: "/counter/1"))
            _ = try await server.exchange(Self.requests(7...9, to: "/v1/pixel/2"))
            let visitors = try await Self.visitors(server.node, [BannerID(1)!, BannerID(2)!])
            // Some may share a register.
            #expect(visitors.count == 2 && (22...31).contains(visitors[0]) && (1...3).contains(visitors[1]))
            let entries = try await fixture.log.read(from: LogOffset(1), maximumBytes: 1 << 20)
            let told = entries.reduce(0) { $0 + $1.chunk.sightings.count }
            // Each once by either way that he took.
            #expect((hotPath ? 45...63 : 22...33).contains(told), "\(told)")
        }
    }

    @Test func `on one connection a visitor of a new day is another`() throws {
        var rules = TrafficJudge.Configuration()
        rules.visitors = true
        let judge = TrafficJudge(rules)
        var memory = SenderMemory()
        func marks(on day: Int64) -> [Sighting.Mark?] {
            (Int64(1)...9).map { banner in
                Array("browser".utf8).withUnsafeBytes { agent in
                    memory.judge(
                        agent, UnsafeRawBufferPointer(start: nil, count: 0), BannerID(banner)!, peer: nil, judge: judge,
                        at: .now(), on: Day(sinceEpoch: day)!
                    ).visitor
                }
            }
        }
        let today = marks(on: 20_000)
        #expect(!today.contains(nil))
        #expect(marks(on: 20_000) == today)
        #expect(marks(on: 20_001) != today)
    }

    private static func record(_ registers: ClosedRange<UInt16>, _ node: CountingNode) async throws {
        var admitted = AdmittedEvents()
        for register in registers {
            var input = EventInput(banner: BannerID(1)!)
            input.visitor = Sighting.Mark(register: register, rank: 1)
            try node.admit(input, to: &admitted)
        }
        _ = try await node.record(admitted)
    }

    @Test func `they outlive a flush and a crash, and what a flush stored is held no longer`() async throws {
        let fixture = NodeFixture()
        try await fixture.run { node in
            try await Self.record(1...12, node)
            #expect(node.statistics.sightings == 12)
            #expect(try await Self.visitors(node) == [12])
        }
        #expect(try await fixture.store.sightings(of: nil, in: Day.first...Day.last).count == 12)
        try await fixture.run(flushAtEnd: false) { node in
            try await Self.record(10...20, node)
            #expect(node.statistics.sightings == 11)
            #expect(try await Self.visitors(node) == [20])
        }
        try await fixture.run { node in
            let visitors = try await Self.visitors(node)
            #expect(visitors == [20])
        }
        #expect(try await fixture.store.sightings(of: nil, in: Day.first...Day.last).count == 20)
    }

    @Test func `a chunk of another node tells nobody apart`() async throws {
        try await NodeFixture().run { node in
            var builder = ChunkBuilder()
            _ = builder.add(
                CountedEvent(
                    banner: BannerID(1)!, kind: .click, minute: .first, count: 1,
                    visitor: Sighting.Mark(register: 1, rank: 1)))
            let chunk = builder.chunk(node: NodeID(bits: 9), sequence: 1, time: .epoch)
            let answer = try await Routes(service: node).send(.post, "/v1/chunks", bytes: chunk.encoded())
            #expect(answer.status == 400)
            #expect(answer.error.contains("sightings of visitors"))
        }
    }
}
