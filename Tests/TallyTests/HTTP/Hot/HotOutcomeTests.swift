// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TallyCore
import Testing

@testable import TallyServer

@Suite("What a plain request is answered, by the hot path and by the routes", .timeLimit(.minutes(5)))
struct HotOutcomeTests {
    /// Both servers are asked one after the other, so that their clocks agree but for the date.
    private func answers(
        _ requests: [String], fixture: @Sendable () async -> NodeFixture = { NodeFixture() },
        configuration: HTTPConfiguration = HTTPConfiguration(port: 0),
        prepare: @Sendable @escaping (CountingNode) async throws -> Void = { _ in }
    ) async throws -> (hot: [String], slow: [String]) {
        var all: [[String]] = []
        for hotPath in [true, false] {
            let fixture = await fixture()
            all.append(
                try await HotServer.with(hotPath: hotPath, fixture: fixture, configuration: configuration) { server in
                    try await prepare(server.node)
                    var answers: [String] = []
                    for request in requests {
                        let answer = try await server.exchange(request)
                        answers.append(answer.replacing(/Date: [A-Za-z0-9 ,:]+/, with: "Date: D"))
                    }
                    // What an operator sees must be the same, too: counts of requests and of refusals.
                    let metrics = server.metrics.registry.prometheusText.split(separator: "\n").filter {
                        $0.contains("_total{") || $0.contains("_count{")
                    }
                    return answers + metrics.map(String.init)
                })
        }
        return (all[0], all[1])
    }

    private let plain = HotCorpus.plain

    @Test(arguments: HTTPConfiguration.CounterStatus.allCases)
    func `with each status of the counter`(status: HTTPConfiguration.CounterStatus) async throws {
        var configuration = HTTPConfiguration(port: 0)
        configuration.counterStatus = status
        let answers = try await answers(plain, configuration: configuration)
        #expect(answers.hot == answers.slow)
        #expect(answers.hot[0].hasPrefix("HTTP/1.1 \(status.rawValue) "))
    }

    @Test func `while the clock is far ahead`() async throws {
        let clocks = Mutex<[ManualClock]>([])
        let answers = try await answers(
            plain,
            fixture: {
                let fixture = NodeFixture()
                clocks.withLock { $0.append(fixture.clock) }
                return fixture
            },
            prepare: { _ in
                clocks.withLock { clocks in
                    let clock = clocks[clocks.count - 1]
                    clock.jump(to: clock.now().advanced(by: .seconds(86_400)))
                }
            })
        #expect(answers.hot == answers.slow)
        #expect(answers.hot[0].hasPrefix("HTTP/1.1 503 Service Unavailable\r\n"))
        #expect(answers.hot[0].contains("Retry-After: 5\r\n") && answers.hot[0].contains("--max-clock-ahead"))
    }

    @Test(arguments: [LogError.refused("the disk is full"), .unavailable("no answer"), .failed("the sync failed")])
    func `when nothing can be made durable`(error: LogError) async throws {
        let broken = { @Sendable () async -> NodeFixture in
            let log = GatedLog(isOpen: true)
            await log.fail(error)
            return NodeFixture(log: log)
        }
        let answers = try await answers(plain, fixture: broken)
        #expect(answers.hot == answers.slow)
        #expect(answers.hot[0].hasPrefix("HTTP/1.1 503 Service Unavailable\r\n"))
        #expect(answers.hot[0].contains("Retry-After: 1\r\n"))
        #expect(answers.hot[0].hasSuffix("\(error)\"}"))
    }

    @Test func `when banners have to be registered, and one no longer is`() async throws {
        let fixture = { @Sendable () async -> NodeFixture in
            var fixture = NodeFixture()
            fixture.configuration.onlyRegisteredBanners = true
            return fixture
        }
        let delete = "DELETE /v1/banners/7 HTTP/1.1\r\nHost: x\r\n\r\n"
        let answers = try await answers([plain[0], plain[1], plain[0], delete, plain[0], plain[2]], fixture: fixture) {
            for id in [7, 9] { _ = try await $0.register(Banner(id: BannerID(Int64(id))!, isRegistered: true)) }
        }
        #expect(answers.hot == answers.slow)
        let statuses = answers.hot.prefix(6).map { String($0.dropFirst(9).prefix(3)) }
        #expect(statuses == ["204", "404", "204", "204", "404", "200"])
    }

    @Test func `when there is room for one banner`() async throws {
        let fixture = { @Sendable () async -> NodeFixture in
            var fixture = NodeFixture()
            fixture.configuration.bannersLimit = 1
            return fixture
        }
        let answers = try await answers([plain[0], plain[1], plain[0]], fixture: fixture)
        #expect(answers.hot == answers.slow)
        #expect(answers.hot[1].hasPrefix("HTTP/1.1 403 "))
    }

    @Test func `over a minute's end`() async throws {
        let fixture = NodeFixture()
        try await HotServer.with(fixture: fixture) { server in
            for _ in 0..<3 {
                for _ in 0..<2 { _ = try await server.exchange(HotCorpus.plain[0]) }
                fixture.clock.advance(by: .seconds(60))
            }
            let counts = try await server.node.minuteCounts(in: .everything).value
            #expect(counts.map(\.count) == [2, 2, 2])
        }
    }

    @Test func `by several loops at once`() async throws {
        let fixture = NodeFixture()
        try await HotServer.with(fixture: fixture, loops: 3) { server in
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for _ in 0..<30 {
                    tasks.addTask {
                        let answer = try await server.exchange(String(repeating: HotCorpus.plain[0], count: 50))
                        #expect(answer.ranges(of: "HTTP/1.1 204 No Content\r\n").count == 50)
                    }
                }
                try await tasks.waitForAll()
            }
            #expect(try await server.node.total(banner: 7) == 1_500)
        }
    }
}
