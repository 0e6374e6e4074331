// SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// What the handlers behind tell `RequestDeadlineHandler`, as an outbound event: it sees bytes alone, and can't know where
/// a request ends. A handler that answers requests before the HTTP codec has to tell it, too.
package enum RequestEvent: Sendable {
    /// The head of a request was read.
    case headArrived
    /// The last byte of a request was read.
    case requestEnded
    /// The first byte of an answer was written.
    case answerBegan
    /// The last byte of an answer was written.
    case answerEnded
}

/// Cuts off a client that does not send its request in time, be it the head or the body. The first handler of a connection.
///
/// There is one timer at most, and none is started for a request that arrives in time of the last: a timer that runs out
/// looks whether a request is late, and if not, when the one on its way would be.
package final class RequestDeadlineHandler: ChannelDuplexHandler {
    package typealias InboundIn = ByteBuffer
    package typealias InboundOut = ByteBuffer
    package typealias OutboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    private let timeout: TimeAmount
    private let timeouts: Counter
    private var progress = RequestProgress()
    private var deadline = NIODeadline.distantFuture
    private var timer: Scheduled<Void>?

    package init(timeout: TimeAmount, timeouts: Counter) {
        self.timeout = timeout
        self.timeouts = timeouts
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if progress.bytesArrived() {
            deadline = context.eventLoop.now + timeout
            if timer == nil { startTimer(context) }
        }
        context.fireChannelRead(data)
    }

    package func triggerUserOutboundEvent(
        context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?
    ) {
        guard let event = event as? RequestEvent else {
            context.triggerUserOutboundEvent(event, promise: promise)
            return
        }
        switch event {
        case .headArrived: progress.headArrived()
        case .requestEnded: progress.requestEnded()
        case .answerBegan: progress.answerBegan()
        case .answerEnded: progress.answerEnded()
        }
        promise?.succeed()
    }

    package func channelInactive(context: ChannelHandlerContext) {
        stopTimer()
        context.fireChannelInactive()
    }

    package func handlerRemoved(context: ChannelHandlerContext) { stopTimer() }

    private func startTimer(_ context: ChannelHandlerContext) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { [self] in timerRanOut(context) }
    }

    private func stopTimer() {
        timer?.cancel()
        timer = nil
    }

    private func timerRanOut(_ context: ChannelHandlerContext) {
        timer = nil
        if context.eventLoop.now < deadline {
            // The request it was started for has ended; another may be on its way.
            if progress.isReceiving { startTimer(context) }
            return
        }
        switch progress.deadlinePassed() {
        case .nothing: break
        case .wait:
            deadline = context.eventLoop.now + timeout
            startTimer(context)
        case .cutOff(let mayAnswer):
            timeouts.add()
            if mayAnswer { context.writeAndFlush(wrapOutboundOut(RequestDeadlineHandler.answer), promise: nil) }
            context.close(promise: nil)
        }
    }

    private static let answer = ByteBuffer(
        string: "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
}
