// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHTTP1

/// Closes the connection behind an answer that says `Connection: close`. Sits behind the HTTP codec.
///
/// A client that sends its whole request before it reads would lose the answer if the connection was closed while it sends,
/// and would wait for ever if nobody read on. So what it is still sending is read and dropped, up to a limit;
/// `RequestDeadlineHandler` limits the time.
final class LastAnswerHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private static let mostDropped = 64 << 20

    private var isReceiving = false
    /// The answer that is being written is the last one.
    private var isLast = false
    /// The last answer was written.
    private var isOver = false
    private var dropped = 0

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        if case .head = part { isReceiving = true }
        if case .end = part { isReceiving = false }
        guard isOver else { return context.fireChannelRead(data) }
        if case .body(let bytes) = part { dropped += bytes.readableBytes }
        if !isReceiving || dropped > LastAnswerHandler.mostDropped { context.close(promise: nil) }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        // Whoever answered does not read any more.
        if isOver { context.read() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // What comes behind something that is no HTTP can't be told from it.
        if error is HTTPParserError { isReceiving = false }
        context.fireErrorCaught(error)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let part = unwrapOutboundIn(data)
        if case .head(let head) = part { isLast = head.headers[canonicalForm: "connection"].contains("close") }
        guard case .end = part, isLast else { return context.write(data, promise: promise) }
        let written = promise ?? context.eventLoop.makePromise()
        written.futureResult.assumeIsolated().whenComplete { [self] _ in end(context) }
        context.writeAndFlush(data, promise: written)
    }

    private func end(_ context: ChannelHandlerContext) {
        isOver = true
        guard isReceiving else { return context.close(promise: nil) }
        context.close(mode: .output, promise: nil)
        context.read()
    }
}
