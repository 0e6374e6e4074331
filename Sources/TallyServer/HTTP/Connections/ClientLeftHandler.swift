// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Synchronization

/// Knows whether the client has closed its connection, or its sending half, as the kernel does for a client that ends, and tells
/// those that are making an answer. A client that closes its half and still reads is taken for one that has left, as nginx does.
final class ClientLeftHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// Tells once at most, until it is stopped.
    final class Watch: Sendable {
        private let left: Mutex<(@Sendable () -> Void)?>

        fileprivate init(_ left: @escaping @Sendable () -> Void) { self.left = Mutex(left) }

        func stop() { left.withLock { $0 = nil } }

        fileprivate func tell() { left.withLock { $0.take() }?() }
    }

    private var hasLeft = false
    /// Of the answer that is being made: there is one at a time.
    private var watch: Watch?

    /// - Parameters:
    ///   - channel: where this handler is; on any other, only the end of the channel is told.
    ///   - left: is called on the connection's event loop, also when the client has left before.
    static func watch(_ channel: any Channel, _ left: @escaping @Sendable () -> Void) -> Watch {
        let watch = Watch(left)
        channel.eventLoop.execute {
            do {
                let handler = try channel.pipeline.syncOperations.handler(type: ClientLeftHandler.self)
                handler.begin(watch)
            } catch {
                // A closed channel has no handlers any more.
                channel.closeFuture.whenComplete { _ in watch.tell() }
            }
        }
        return watch
    }

    private func begin(_ watch: Watch) {
        if hasLeft { watch.tell() } else { self.watch = watch }
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
        hasLeft = true
        watch?.tell()
        watch = nil
    }
}
