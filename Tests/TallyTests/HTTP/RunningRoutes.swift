// SPDX-License-Identifier: Apache-2.0

import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Testing

@testable import TallyServer

/// The routes on a socket.
enum RunningRoutes {
    /// Runs the server while `client` talks to its port.
    static func serving<Value>(_ test: HTTPTest, _ client: (Int) async throws -> Value) async throws -> Value {
        let (ports, running) = AsyncStream.makeStream(of: Int.self)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let application = makeApplication(
            service: test.service, metrics: test.metrics, configuration: test.configuration, logger: logger,
            onServerRunning: { running.yield($0.localAddress?.port ?? 0) })
        let group = ServiceGroup(services: [application], logger: logger)
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let port = try #require(await ports.first { _ in true })
            let value = try await client(port)
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            return value
        }
    }
}

/// A client of bytes.
enum RawClient {
    static func connect(_ port: Int) async throws -> any Channel {
        try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: false)
            .connect(host: "127.0.0.1", port: port).get()
    }

    /// Sends one request and reads until the server closes the connection.
    static func ask(_ port: Int, _ path: String) async throws -> String {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(
                ByteBuffer(string: "GET \(path) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
            var bytes = ByteBuffer()
            for try await buffer in inbound { bytes.writeImmutableBuffer(buffer) }
            return String(buffer: bytes)
        }
    }
}
