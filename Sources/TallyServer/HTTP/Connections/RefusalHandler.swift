// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import NIOCore

/// Answers the first request of a connection, whatever it is, that the server has too many, and closes it. Nothing reaches the
/// handlers behind. A client that sends nothing is answered after a moment: a connection that is closed before its request
/// arrives looks broken instead of refused.
final class RefusalHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private static let patience = TimeAmount.milliseconds(500)
    private static let answer: ByteBuffer = {
        let problem = Problem(
            .serviceUnavailable, "too_many_connections", "Too many connections",
            "the server has as many connections as its limit of open files allows")
        let body = problem.json(.problem)
        var answer = ByteBuffer(
            string: "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 1\r\n"
                + "Content-Type: application/problem+json\r\nContent-Length: \(body.count)\r\n\r\n")
        answer.writeBytes(body)
        return answer
    }()

    private var timer: Scheduled<Void>?
    private var isAnswered = false

    func channelActive(context: ChannelHandlerContext) {
        let loop = context.eventLoop.assumeIsolated()
        timer = loop.scheduleTask(in: RefusalHandler.patience) { [self] in
            refuse(context)
        }
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { refuse(context) }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        context.fireChannelInactive()
    }

    private func refuse(_ context: ChannelHandlerContext) {
        if isAnswered { return }
        isAnswered = true
        context.writeAndFlush(wrapOutboundOut(RefusalHandler.answer), promise: nil)
        context.close(promise: nil)
    }
}
