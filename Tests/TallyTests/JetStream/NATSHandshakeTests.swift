// SPDX-License-Identifier: Apache-2.0

#if JetStream

import NIOCore
import NIOPosix
import Synchronization
import TallyCore
import Testing

@testable import TallyBackends

@Suite("A nats-server that accepts a connection and hangs before it answers CONNECT", .timeLimit(.minutes(2)))
struct NATSHandshakeTests {
    @Test("is given up by the first connection, which fails")
    func first() async throws {
        let server = try await HangingServer.start()
        server.hang()
        let url = try NATSTesting.url("127.0.0.1:\(server.port)")
        let error = await #expect(throws: LogError.self) { _ = try await JetStreamLogs.open(url) }
        guard case .unavailable = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        await server.stop()
    }

    @Test("is given up by a connection that comes back, which tries again until the server answers")
    func again() async throws {
        let server = try await HangingServer.start()
        let url = try NATSTesting.url("127.0.0.1:\(server.port)")
        let executor = BlockingExecutor()
        let library = try await executor.run { () throws(NATSFailure) in try LibNATS(url) }
        server.hang()
        server.cut()
        try await eventually("it tries again") { server.connections >= 3 }
        // While the server hangs, a question fails instead of waiting for the connection.
        await #expect(throws: NATSFailure.self) {
            try await executor.run { () throws(NATSFailure) in _ = try library.stream("clicks") }
        }
        server.recover()
        let answers = server.answers
        try await eventually("it is connected") { server.answers > answers }
        #expect(library.largestMessage == HangingServer.largestMessage)
        await executor.run { library.close() }
        await server.stop()
    }
}

/// As much of a nats-server as a handshake needs, since a real one cannot be made to hang in the midst of it.
private final class HangingServer: Sendable {
    static let largestMessage = 123_456

    private struct State {
        var hangs = false
        var channels: [any Channel] = []
        var answers = 0
    }

    private let state = Mutex(State())
    private let listener = Mutex<(any Channel)?>(nil)

    static func start() async throws -> HangingServer {
        let server = HangingServer()
        let listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                server.state.withLock { $0.channels.append(channel) }
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Handshake(server))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        server.listener.withLock { $0 = listener }
        return server
    }

    var port: Int { listener.withLock { $0?.localAddress?.port } ?? 0 }
    /// How many there were.
    var connections: Int { state.withLock { $0.channels.count } }
    /// How many PINGs were answered.
    var answers: Int { state.withLock { $0.answers } }

    func hang() { state.withLock { $0.hangs = true } }
    func recover() { state.withLock { $0.hangs = false } }

    /// Closes all connections.
    func cut() {
        for channel in state.withLock({ $0.channels }) { channel.close(promise: nil) }
    }

    func stop() async {
        cut()
        try? await listener.withLock({ $0 })?.close()
    }

    private final class Handshake: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let server: HangingServer

        init(_ server: HangingServer) { self.server = server }

        func channelActive(context: ChannelHandlerContext) {
            let information = """
                {"server_id":"A","version":"2.10.0","go":"go1","host":"127.0.0.1","port":\(server.port),"headers":true,\
                "max_payload":\(HangingServer.largestMessage),"proto":1}
                """
            write("INFO \(information)\r\n", context)
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let pings = String(buffer: unwrapInboundIn(data)).split(separator: "\r\n").count { $0 == "PING" }
            let answers = server.state.withLock { state in
                if state.hangs { return false }
                state.answers += pings
                return true
            }
            if answers { write(String(repeating: "PONG\r\n", count: pings), context) }
        }

        private func write(_ text: String, _ context: ChannelHandlerContext) {
            context.writeAndFlush(NIOAny(ByteBuffer(string: text)), promise: nil)
        }
    }
}

#endif
