// SPDX-License-Identifier: Apache-2.0

import Foundation
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import TallyCore

@testable import TallyServer

/// A whole server over memory, with the hot path or without.
struct HotServer: Sendable {
    private let counting: CountingNode?
    let port: Int
    let metrics: HTTPMetrics

    var node: CountingNode {
        guard let counting else { preconditionFailure("the test has its node itself") }
        return counting
    }

    /// - Parameter fixture: of the node, whose clock and log it uses.
    static func with<Value: Sendable>(
        hotPath: Bool = true, fixture: NodeFixture = NodeFixture(),
        configuration: HTTPConfiguration = HTTPConfiguration(port: 0), loops: Int = 1,
        _ body: @Sendable @escaping (HotServer) async throws -> Value
    ) async throws -> Value {
        try await fixture.run { node in
            try await with(
                node: node, counting: node, hotPath: hotPath, configuration: configuration, loops: loops, body)
        }
    }

    /// - Parameter node: whose services run.
    static func with<Value: Sendable>(
        node: any RunningNode, counting: CountingNode? = nil, hotPath: Bool = true,
        configuration: HTTPConfiguration = HTTPConfiguration(port: 0), loops: Int = 1,
        _ body: @Sendable @escaping (HotServer) async throws -> Value
    ) async throws -> Value {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: loops)
        let metrics = HTTPMetrics(registry: MetricsRegistry())
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        let service = HTTPService(
            service: node, metrics: metrics, configuration: configuration,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            hotPath: hotPath
                ? node.laneIntake.map { HotPath(intake: $0, metrics: metrics, configuration: configuration) } : nil,
            eventLoops: group, isListening: { listening.yield($0) })
        let services = ServiceGroup(
            services: [service], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let value = try await withThrowingTaskGroup(of: Value?.self) { tasks in
            tasks.addTask {
                try await services.run()
                return nil
            }
            guard let port = await ports.first(where: { _ in true }) else { throw CancellationError() }
            tasks.addTask {
                let value = try await body(HotServer(counting: counting, port: port, metrics: metrics))
                await services.triggerGracefulShutdown()
                return value
            }
            var result: Value?
            while let value = try await tasks.next() { result = value ?? result }
            guard let result else { throw CancellationError() }
            return result
        }
        try await group.shutdownGracefully()
        return value
    }

    /// Everything that comes back when these pieces are sent, each as a segment of its own, and then no more.
    func exchange(_ pieces: [[UInt8]]) async throws -> [UInt8] {
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                        wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            // Who has had enough closes while the rest is being written.
            do {
                for piece in pieces { try await outbound.write(ByteBuffer(bytes: piece)) }
                outbound.finish()
            } catch is ChannelError {} catch is IOError {}
            var bytes: [UInt8] = []
            do {
                for try await buffer in inbound { bytes += buffer.readableBytesView }
            } catch is IOError {}
            return bytes
        }
    }

    func exchange(_ text: String) async throws -> String {
        String(decoding: try await exchange([Array(text.utf8)]), as: UTF8.self)
    }
}
