// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Synchronization

/// Tells while an answer is made that the client has closed the connection, or its sending half of it, as a client does that
/// ends. A client that closes its half and still reads is taken for one that has left, as nginx does.
final class ClientLeftHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// Watches until it is stopped.
    struct Watch: Sendable {
        fileprivate let channel: any Channel
        fileprivate let name: String

        func stop() {
            channel.eventLoop.execute { channel.pipeline.syncOperations.removeHandler(name: name, promise: nil) }
        }
    }

    private static let lastNumber = Atomic<UInt64>(0)

    /// Once at most; nil behind the call.
    private var left: (@Sendable () -> Void)?

    private init(_ left: @escaping @Sendable () -> Void) { self.left = left }

    /// - Parameter left: is called on the connection's event loop, once at most.
    static func watch(_ channel: any Channel, _ left: @escaping @Sendable () -> Void) -> Watch {
        let watch = Watch(
            channel: channel, name: "client left \(lastNumber.add(1, ordering: .relaxed).newValue)")
        channel.eventLoop.execute {
            let handler = ClientLeftHandler(left)
            do {
                try channel.pipeline.syncOperations.addHandler(handler, name: watch.name, position: .first)
            } catch {
                handler.leave()  // The connection is closed already.
            }
        }
        return watch
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent { leave() }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        leave()
        context.fireChannelInactive()
    }

    private func leave() {
        left?()
        left = nil
    }
}
