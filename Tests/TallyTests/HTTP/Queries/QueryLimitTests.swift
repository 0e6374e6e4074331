// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import NIOCore
import NIOPosix
import Synchronization
import TallyCore
import Testing

@testable import TallyServer

/// What the limits of queries do to requests.
struct QueryLimitTests {
    /// Holds queries until it is opened or they are cancelled.
    private final class Barrier: Sendable {
        private let state = Mutex((isOpen: false, entered: 0, cancelled: 0))

        var entered: Int { state.withLock { $0.entered } }
        var cancelled: Int { state.withLock { $0.cancelled } }
        func open() { state.withLock { $0.isOpen = true } }

        func pass() async throws(StoreError) {
            state.withLock { $0.entered += 1 }
            while !state.withLock({ $0.isOpen }) {
                if Task.isCancelled {
                    state.withLock { $0.cancelled += 1 }
                    throw .unavailable("cancelled")
                }
                try? await Task.sleep(for: .milliseconds(2))
            }
        }
    }

    private func test(_ barrier: Barrier, heavy: Int = 1, timeout: Duration = .seconds(60)) -> HTTPTest {
        var test = HTTPTest()
        test.configuration.queries = QueryLimits(heavyQueries: heavy, timeout: timeout)
        test.service.state.withLock { $0.beforeTotals = { () async throws(StoreError) in try await barrier.pass() } }
        return test
    }

    @Test(arguments: ["/v1/top", "/v1/totals", "/v1/banners?totals=true"])
    func `a query that takes too long is answered 503, and cancelled`(path: String) async throws {
        let barrier = Barrier()
        let test = test(barrier, timeout: .milliseconds(50))
        if path.hasPrefix("/v1/banners") { _ = try await test.send(.get, "/counter/7") }
        let answer = try await test.get(path)
        #expect(answer.status == 503)
        #expect(answer.error.contains("--query-timeout"), "\(answer.text)")
        #expect(answer.headers[.retryAfter] == "5")
        while barrier.cancelled == 0 { await Task.yield() }
        #expect(test.refusals("query_timeout") == 1)
    }

    @Test func `light queries, counting and health checks go on while heavy ones hold every slot`() async throws {
        let barrier = Barrier()
        let test = test(barrier)
        try await RunningRoutes.serving(test) { port in
            try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<3 { group.addTask { try await RawClient.ask(port, "/v1/top") } }
                while barrier.entered == 0 { try await Task.sleep(for: .milliseconds(2)) }
                for path in ["/healthz", "/readyz", "/v1/series?banner=7", "/counter/7"] {
                    #expect(try await RawClient.ask(port, path).hasPrefix("HTTP/1.1 20"), "\(path)")
                }
                #expect(barrier.entered == 1, "one runs at a time")
                barrier.open()
                for try await answer in group { #expect(answer.hasPrefix("HTTP/1.1 200 ")) }
            }
        }
        #expect(barrier.entered == 3)
    }

    @Test(arguments: [true, false])
    func `a query ends when its client closes the connection`(half: Bool) async throws {
        let barrier = Barrier()
        let test = test(barrier)
        try await RunningRoutes.serving(test) { port in
            let client = try await RawClient.connect(port)
            try await client.writeAndFlush(ByteBuffer(string: "GET /v1/top HTTP/1.1\r\nHost: x\r\n\r\n"))
            while barrier.entered == 0 { try await Task.sleep(for: .milliseconds(2)) }
            try await client.close(mode: half ? .output : .all)
            while barrier.cancelled == 0 { try await Task.sleep(for: .milliseconds(2)) }
            barrier.open()
            // The slot is free.
            #expect(try await RawClient.ask(port, "/v1/top").hasPrefix("HTTP/1.1 200 "))
        }
        #expect(test.refusals("client_left") == 1)
    }

    @Test func `more queries than may wait are refused`() async throws {
        let barrier = Barrier()
        let test = test(barrier, timeout: .seconds(60))
        try await RunningRoutes.serving(test) { port in
            try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<102 { group.addTask { try await RawClient.ask(port, "/v1/totals") } }
                // One runs and 100 wait.
                let refused = try #require(try await group.next())
                #expect(refused.hasPrefix("HTTP/1.1 503 ") && refused.contains("too_many_queries"), "\(refused)")
                #expect(refused.contains("Retry-After: 5") || refused.contains("retry-after: 5"))
                barrier.open()
                for try await answer in group { #expect(answer.hasPrefix("HTTP/1.1 200 ")) }
            }
        }
    }
}
