// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Synchronization
import TallyCore
import Testing

@testable import TallyServer

/// Answers that are too large to be held for a client that does not read.
struct LargeAnswerTests {
    /// 60 banners with 600 minutes each: an answer of more than a megabyte.
    private func test(timeout: Duration) -> HTTPTest {
        var test = HTTPTest()
        test.configuration.queries = QueryLimits(heavyQueries: 1, timeout: timeout)
        test.service.state.withLock { state in
            let first = Minute(state.now).advanced(by: -600)
            for banner in Int64(1)...60 {
                for minute in Int64(0)..<600 {
                    let key = RowKey(
                        banner: BannerID(banner)!, kind: .click, start: first.advanced(by: minute))
                    state.counts[key] = 1_000_000 + minute
                }
            }
        }
        return test
    }

    private let path = "/v1/series?from=2024-12-12T00:00&to=2024-12-12T10:05"

    @Test func `a client that does not read keeps its slot until the time is over, and is cut off`() async throws {
        let test = test(timeout: .milliseconds(300))
        try await RunningRoutes.serving(test) { port in
            let client = try await RawClient.connect(port, reads: false)
            try await client.writeAndFlush(
                ByteBuffer(string: "GET \(path) HTTP/1.1\r\nHost: x\r\n\r\n"))
            // What the kernel takes of it is not enough for the whole answer; the next query waits for the slot.
            let answer = try await RawClient.ask(port, path)
            #expect(answer.hasPrefix("HTTP/1.1 200 ") || answer.hasPrefix("HTTP/1.1 503 "))
            try await client.setOption(.autoRead, value: true).get()
            try await client.closeFuture.get()
        }
    }

    @Test func `a client that reads has the whole answer`() async throws {
        let test = test(timeout: .seconds(60))
        try await RunningRoutes.serving(test) { port in
            let answer = try await RawClient.ask(port, path)
            #expect(answer.utf8.count > 1 << 20)
            #expect(answer.contains("transfer-encoding: chunked") || answer.contains("Transfer-Encoding: chunked"))
            #expect(answer.hasSuffix("0\r\n\r\n"))
        }
    }
}
