// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization
import TallyCore
import Testing

@testable import TallyServer

/// The whole server on a socket, and a client that writes bytes as it likes.
struct LiveConnectionTests {
    /// Runs the server, sends the pieces over one connection, and gives what came back until the server closed it.
    private func exchange(_ test: HTTPTest, _ pieces: [String], thenClose: Bool = false) async throws -> String {
        try await serving(test) { port in try await talk(to: port, pieces, thenClose: thenClose) }
    }

    /// Runs the server while `client` talks to its port.
    /// - Parameter onConnect: is given the server's side of each connection.
    private func serving<Value>(
        _ test: HTTPTest, onConnect: @escaping @Sendable (any Channel) -> Void = { _ in },
        _ client: (Int) async throws -> Value
    ) async throws -> Value {
        let (ports, running) = AsyncStream.makeStream(of: Int.self)
        let application = makeApplication(
            service: test.service, metrics: test.metrics, configuration: test.configuration,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            handlersBeforeCodec: { channel in
                onConnect(channel)
                return []
            },
            onServerRunning: { running.yield($0.localAddress?.port ?? 0) })
        let group = ServiceGroup(
            services: [application], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let port = try #require(await ports.first { _ in true })
            let value = try await client(port)
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            return value
        }
    }

    private func talk(to port: Int, _ pieces: [String], thenClose: Bool) async throws -> String {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                        wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            for piece in pieces { try await outbound.write(ByteBuffer(string: piece)) }
            if thenClose { outbound.finish() }
            var text = ""
            for try await buffer in inbound { text += String(buffer: buffer) }
            return text
        }
    }

    @Test func `answers over a socket, and closes when asked to`() async throws {
        let test = HTTPTest()
        let answer = try await exchange(
            test,
            [
                "POST /counter/7 HTTP/1.1\r\nHost: x\r\n\r\nGET /counter/7 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            ])
        #expect(answer.components(separatedBy: "HTTP/1.1 204 No Content").count == 3)
        #expect(answer.lowercased().contains("tally-receipt: test-log@2; durable=memory"))
        #expect(test.service.count(7) == 2)
    }

    @Test(arguments: [
        "POST /counter/7 HTTP/1.1\r\nHost: x\r\n",
        "POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{\"banner\":7}\n",
    ])
    func `a request that does not arrive in time is answered 408, and nothing of it counts`(request: String)
        async throws
    {
        var test = HTTPTest()
        test.configuration.requestTimeout = .milliseconds(100)
        let answer = try await exchange(test, [request])
        #expect(answer.hasPrefix("HTTP/1.1 408 Request Timeout\r\n"))
        #expect(test.metrics.timeouts.value == 1)
        #expect(test.service.isEmpty)
    }

    @Test(arguments: [
        "POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{\"banner\":7}\n",
        "POST /v1/events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nd\r\n{\"banner\":7}\n\r\n",
        "POST /v1/beacon/7 HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc",
    ])
    func `a body that breaks off counts nothing`(request: String) async throws {
        let test = HTTPTest()
        let answer = try await exchange(test, [request], thenClose: true)
        #expect(answer.hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
        #expect(answer.contains("application/problem+json"))
        #expect(answer.contains("the connection ended before the request did"), "\(answer)")
        #expect(test.service.isEmpty)
    }

    @Test func `a head larger than the limit is refused`() async throws {
        let test = HTTPTest()
        let answer = try await exchange(
            test, ["GET /counter/7 HTTP/1.1\r\nHost: x\r\nX: \(String(repeating: "x", count: 40_000))\r\n\r\n"])
        #expect(answer.hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
        #expect(answer.contains("the head of the request is too large"), "\(answer)")
        #expect(test.metrics.malformed.value == 1)
        #expect(test.service.isEmpty)
    }

    @Test func `a long id within the limit of the head is a plain 400`() async throws {
        let answer = try await exchange(
            HTTPTest(),
            ["POST /counter/\(String(repeating: "1", count: 10_240)) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"])
        #expect(answer.hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
        #expect(answer.hasSuffix("an integer from 1 to 9223372036854775807\"}"))
    }

    @Test func `what is no HTTP is refused, and the server goes on`() async throws {
        let test = HTTPTest()
        let answer = try await exchange(test, ["\u{16}\u{3}\u{1}\u{2}\u{0}\r\n\r\n"])
        #expect(answer.contains("what came is no HTTP/1.1"), "\(answer)")
        #expect(test.metrics.malformed.value == 1)
    }

    @Test func `a body announced too large is refused before it is sent`() async throws {
        let head = "POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 8388609\r\nConnection: close\r\n\r\n"
        let answer = try await exchange(HTTPTest(), [head])
        #expect(answer.hasPrefix("HTTP/1.1 413 "))
    }

    @Test(
        .timeLimit(.minutes(5)),
        arguments: ["Content-Length: 10485760\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\na00000\r\n"],
        ["", "Connection: close\r\n"])
    func `a client that sends too much before it reads gets its answer and a closed connection`(
        framing: String, wish: String
    ) async throws {
        let head = "POST /v1/events HTTP/1.1\r\nHost: x\r\n" + wish + framing
        let answer = try await exchange(HTTPTest(), [head, String(repeating: "x", count: 10 << 20)])
        #expect(answer.hasPrefix("HTTP/1.1 413 "))
        #expect(answer.lowercased().contains("connection: close"))
        #expect(answer.hasSuffix("send it in several requests\"}"))
    }

    @Test func `a client that asks before it sends is told to go on`() async throws {
        let answer = try await exchange(
            HTTPTest(),
            [
                "POST /v1/events HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\n"
                    + "Content-Length: 12\r\n\r\n",
                #"{"banner":7}"#,
            ])
        #expect(answer.hasPrefix("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"), "\(answer)")
    }

    @Test func `a client that asks whether it may send too much isn't told to go on`() async throws {
        let answer = try await exchange(
            HTTPTest(),
            [
                "POST /v1/events HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\n"
                    + "Content-Length: 99999999\r\n\r\n"
            ], thenClose: true)
        #expect(!answer.contains("100 Continue"), "\(answer)")
    }

    @Test func `a client that never reads its answers is cut off`() async throws {
        var test = HTTPTest()
        test.configuration.requestTimeout = .milliseconds(100)
        // More than both sides of a connection hold, so that most of it has to wait for the client.
        let requests = String(repeating: "GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n", count: 1_000)
        let closed = Counter()
        let observe = { @Sendable (connection: any Channel) in
            connection.closeFuture.whenComplete { _ in closed.add() }
        }
        try await serving(test, onConnect: observe) { port in
            let client = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .channelOption(.autoRead, value: false)
                .connect(host: "127.0.0.1", port: port).get()
            try await client.writeAndFlush(ByteBuffer(string: requests))
            try await eventually("the server has closed the connection") { closed.value == 1 }
            try await client.close()
        }
        #expect(test.metrics.timeouts.value == 0, "all requests arrived")
    }

    @Test func `a connection that waits too long is closed`() async throws {
        var test = HTTPTest()
        test.configuration.idleTimeout = .milliseconds(100)
        // The exchange ends when the server closes, so that it ends is what is tested.
        #expect(try await exchange(test, []).isEmpty)
        #expect(test.metrics.timeouts.value == 0)
    }

    @Test func `the live server gives the same bytes as the router`() async throws {
        let test = HTTPTest()
        try await test.send(.post, "/v1/events", #"[{"banner":1,"ts":"2024-12-12T10:00:00"}]"#)
        for uri in ["/v1/series?from=2024-12-12&to=2024-12-13&fill=zero&format=csv", "/v1/totals", "/v1/banners/1"] {
            let routed = try await test.get(uri)
            let live = try await test.send(.get, uri, bytes: nil, live: true)
            #expect(live.bytes == routed.bytes)
            #expect(live.status == 200)
        }
        #expect(try await test.send(.head, "/v1/totals", bytes: nil, live: true).bytes.isEmpty)
    }
}
