// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOEmbedded
import Synchronization
import TallyCore
import Testing

@testable import TallyServer

/// Answers that are too large to be held for a client that does not read.
struct LargeAnswerTests {
    /// A connection whose client takes nothing until the connection is closed.
    private struct StuckWriter: ResponseBodyWriter {
        let channel: any Channel

        mutating func write(_ buffer: ByteBuffer) async throws {
            try await channel.closeFuture.get()
            throw ChannelError.ioOnClosedChannel
        }

        consuming func finish(_ trailers: HTTPFields?) async throws {}
    }

    private func heavyQueries(_ metrics: HTTPMetrics) -> Bool {
        metrics.registry.prometheusText.contains("\ntally_heavy_queries_running 1")
    }

    @Test func `a large answer keeps its slot until it is sent, and a client that does not read is cut off`()
        async throws
    {
        let metrics = HTTPMetrics(registry: MetricsRegistry())
        let queries = QueryRunner(QueryLimits(heavyQueries: 1, timeout: .milliseconds(200)), metrics: metrics)
        let channel = NIOAsyncTestingChannel()
        let context = ServerContext(
            source: .init(channel: channel, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
        let response = try await queries.run(.heavy, context) {
            Response(
                status: .ok,
                body: ResponseBody { output in
                    try await output.write(ByteBuffer(string: "the first piece"))
                    try await output.finish(nil)
                })
        }
        #expect(heavyQueries(metrics))
        await #expect(throws: ChannelError.self) {
            try await response.body.write(StuckWriter(channel: channel))
        }
        #expect(!heavyQueries(metrics))
    }

    @Test func `an answer that is never sent gives its slot back`() async throws {
        let metrics = HTTPMetrics(registry: MetricsRegistry())
        let queries = QueryRunner(QueryLimits(heavyQueries: 1), metrics: metrics)
        let context = ServerContext(
            source: .init(
                channel: NIOAsyncTestingChannel(), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
        for _ in 1...3 {
            let small = try await queries.run(.heavy, context) { .text("small") }
            #expect(!heavyQueries(metrics), "a small answer keeps none: \(small.status)")
            // As for HEAD.
            _ = try await queries.run(.heavy, context) { Response(status: .ok, body: ResponseBody { _ in }) }
        }
        #expect(!heavyQueries(metrics))
    }

    @Test func `a client that reads has the whole answer`() async throws {
        let test = HTTPTest()
        test.service.state.withLock { state in
            let first = Minute(state.now).advanced(by: -600)
            for banner in Int64(1)...60 {
                for minute in Int64(0)..<600 {
                    let key = RowKey(banner: BannerID(banner)!, kind: .click, start: first.advanced(by: minute))
                    state.counts[key] = 1_000_000 + minute
                }
            }
        }
        try await RunningRoutes.serving(test) { port in
            let answer = try await RawClient.ask(port, "/v1/series?from=2024-12-12T00:00&to=2024-12-12T10:05")
            #expect(answer.utf8.count > 1 << 20)
            #expect(answer.lowercased().contains("transfer-encoding: chunked"))
            #expect(answer.hasSuffix("0\r\n\r\n"))
        }
    }
}
