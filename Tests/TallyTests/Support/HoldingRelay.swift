// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix
import Synchronization

/// Leads connections on to a server, and holds up what the client sends at a given call, until it is released: so a test does
/// something between any two calls of a client.
final class HoldingRelay: Sendable {
    private struct State {
        var calls = 0
        /// The call to hold up; nil for none.
        var holdsAt: Int?
        /// A call that has this text is the one to hold up.
        var text: String?
        var isHeld = false
        var held: [(channel: any Channel, bytes: ByteBuffer)] = []
    }

    private let target: Int
    private let state = Mutex(State())
    private let listener = Mutex<(any Channel)?>(nil)

    private init(target: Int) { self.target = target }

    /// - Parameter target: a port of 127.0.0.1.
    static func start(to target: Int) async throws -> HoldingRelay {
        let relay = HoldingRelay(target: target)
        let listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { relay.lead($0) }
            .bind(host: "127.0.0.1", port: 0).get()
        relay.listener.withLock { $0 = listener }
        return relay
    }

    var port: Int { listener.withLock { $0?.localAddress?.port } ?? 0 }

    /// Holds up everything from this call on, counted from now; a call is what the client sends at once.
    func hold(atCall call: Int) {
        state.withLock { $0.holdsAt = $0.calls + call }
    }

    /// Holds up everything from the next call on that has this text.
    func hold(atCallWith text: String) {
        state.withLock { $0.text = text }
    }

    /// Something is held up.
    var isHolding: Bool { state.withLock { $0.isHeld } }

    /// Sends what was held up, and holds up nothing more.
    func release() {
        state.withLock { state in
            state.holdsAt = nil
            state.isHeld = false
            for (channel, bytes) in state.held { channel.writeAndFlush(bytes, promise: nil) }
            state.held = []
        }
    }

    func stop() async { try? await listener.withLock({ $0 })?.close() }

    private func lead(_ client: any Channel) -> EventLoopFuture<Void> {
        ClientBootstrap(group: client.eventLoop).channelInitializer { server in
            server.eventLoop.makeCompletedFuture {
                try server.pipeline.syncOperations.addHandler(
                    Pump { bytes in
                        client.writeAndFlush(bytes, promise: nil)
                    } onClose: {
                        client.close(promise: nil)
                    })
            }
        }.connect(host: "127.0.0.1", port: target).flatMapThrowing { server in
            try client.pipeline.syncOperations.addHandler(
                Pump {
                    self.send($0, to: server)
                } onClose: {
                    server.close(promise: nil)
                })
        }.flatMap { client.setOption(.autoRead, value: true) }
    }

    private func send(_ bytes: ByteBuffer, to server: any Channel) {
        state.withLock { state in
            state.calls += 1
            if let text = state.text, String(buffer: bytes).contains(text) {
                (state.text, state.holdsAt) = (nil, state.calls)
            }
            if let call = state.holdsAt, state.calls >= call {
                state.isHeld = true
                state.held.append((server, bytes))
            } else {
                server.writeAndFlush(bytes, promise: nil)
            }
        }
    }
}

/// Hands on what comes.
private final class Pump: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let handOn: (ByteBuffer) -> Void
    private let onClose: () -> Void

    init(_ handOn: @escaping (ByteBuffer) -> Void, onClose: @escaping () -> Void) {
        self.handOn = handOn
        self.onClose = onClose
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { handOn(unwrapInboundIn(data)) }
    func channelInactive(context: ChannelHandlerContext) { onClose() }
}
