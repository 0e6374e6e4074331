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

/// Cuts off a client that does not send its request in time, be it the head or the body, and closes a connection on which
/// nothing happens. The first handler of a connection.
///
/// There is one timer at most for requests, and none is started for one that arrives as a whole, or in time of the last: a
/// timer that runs out looks whether a request is late, and if not, when the one on its way would be. The timer for idle
/// connections does likewise.
package final class RequestDeadlineHandler: ChannelDuplexHandler {
    package typealias InboundIn = ByteBuffer
    package typealias InboundOut = ByteBuffer
    package typealias OutboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    private let timeout: TimeAmount
    private let idleTimeout: TimeAmount?
    private let timeouts: Counter
    private var progress = RequestProgress()
    private var deadline = NIODeadline.distantFuture
    private var timer: Scheduled<Void>?
    private var lastActive = NIODeadline.distantPast
    private var idleTimer: Scheduled<Void>?
    private var context: ChannelHandlerContext?

    /// - Parameter idleTimeout: nil for connections that may be idle for ever.
    package init(timeout: TimeAmount, idleTimeout: TimeAmount? = nil, timeouts: Counter) {
        self.timeout = timeout
        self.idleTimeout = idleTimeout
        self.timeouts = timeouts
    }

    package func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { startIdleTimer(context) }
    }

    package func channelActive(context: ChannelHandlerContext) {
        startIdleTimer(context)
        context.fireChannelActive()
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        lastActive = context.eventLoop.now
        let begins = progress.bytesArrived()
        let ended = progress.endedRequests
        context.fireChannelRead(data)
        // Most requests have ended by now, and need no term.
        if progress.isReceiving, begins || progress.endedRequests != ended { beginTerm(context) }
    }

    /// A handler behind has read and understood so many whole requests, of which it says nothing else.
    /// - Parameter begins: another has begun behind them.
    func requestsEnded(_ count: Int, begins: Bool) { progress.requestsEnded(count, begins: begins) }

    /// It has answered so many of them.
    func requestsAnswered(_ count: Int) { progress.requestsAnswered(count) }

    /// Bytes that it has kept belong to a request that begins now.
    func requestBegins(_ context: ChannelHandlerContext) {
        if progress.bytesArrived() { beginTerm(context) }
    }

    private func beginTerm(_ context: ChannelHandlerContext) {
        deadline = context.eventLoop.now + timeout
        if timer == nil { startTimer(context) }
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
        case .answerEnded:
            progress.answerEnded()
            lastActive = context.eventLoop.now
        }
        promise?.succeed()
    }

    package func channelInactive(context: ChannelHandlerContext) {
        stopTimer()
        context.fireChannelInactive()
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        stopTimer()
    }

    /// Since when nothing has been on its way in either direction; nil while something is, or the connection is closed.
    var idleSince: NIODeadline? {
        guard let context, context.channel.isActive, !progress.isReceiving, !progress.isAnswerOutstanding else {
            return nil
        }
        return lastActive
    }

    func close() { context?.close(promise: nil) }

    private func startTimer(_ context: ChannelHandlerContext) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { [self] in timerRanOut(context) }
    }

    private func stopTimer() {
        timer?.cancel()
        timer = nil
        idleTimer?.cancel()
        idleTimer = nil
    }

    private func startIdleTimer(_ context: ChannelHandlerContext) {
        // The time before the connection began doesn't count.
        lastActive = max(lastActive, context.eventLoop.now)
        guard let idleTimeout, idleTimer == nil else { return }
        scheduleIdleTimer(context, in: idleTimeout)
    }

    private func scheduleIdleTimer(_ context: ChannelHandlerContext, in time: TimeAmount) {
        idleTimer = context.eventLoop.assumeIsolated().scheduleTask(in: time) { [self] in
            guard let idleTimeout else { return }
            // A request that is being answered is not the client's idleness.
            if progress.isAnswerOutstanding { lastActive = context.eventLoop.now }
            let rest = lastActive + idleTimeout - context.eventLoop.now
            if rest > .zero { return scheduleIdleTimer(context, in: rest) }
            idleTimer = nil
            context.close(promise: nil)
        }
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
