// SPDX-License-Identifier: Apache-2.0

import NIOCore
import TallyCore

/// Counts the plain requests of a connection and leaves all others, byte for byte, to the HTTP codec behind it. What is
/// whose, `HotConnection` decides; this keeps the bytes that nobody may have yet, and the events that must not overtake them.
final class HotPathHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = IOData
    typealias OutboundOut = ByteBuffer

    /// With more than this waiting nothing more is read.
    private static let mostHeldBytes = 64 << 10
    /// Nor while more answers than this are to come: a client need not wait for them, but the disk may be slow.
    private static let mostUnanswered = 4_096

    private let lane: LoopLane
    private let deadline: RequestDeadlineHandler
    private var context: ChannelHandlerContext?
    private var connection: HotConnection
    private var held = ByteBuffer()
    private var sender = SenderMemory()
    /// The end of input, or a wish to end the connection: they come behind all that was read before.
    private var heldEvents: [Any] = []
    private var isWorking = false
    private var isReadDeferred = false
    /// The handlers behind have read something since they heard of the last end of a reading.
    private var hasForwarded = false

    init(lane: LoopLane, deadline: RequestDeadlineHandler) {
        self.lane = lane
        self.deadline = deadline
        connection = HotConnection(addressName: lane.judge.addressField.lowercaseName)
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelInactive(context: ChannelHandlerContext) {
        held.clear()
        heldEvents = []
        connection.giveUp()
        context.fireChannelInactive()
    }

    // MARK: What comes in

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if connection.isSlow {
            hasForwarded = true
            return context.fireChannelRead(data)
        }
        var bytes = unwrapInboundIn(data)
        if held.readableBytes > 0 { held.writeBuffer(&bytes) } else { held = bytes }
        work(context)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if hasForwarded {
            hasForwarded = false
            context.fireChannelReadComplete()
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case ChannelEvent.inputClosed, is ChannelShouldQuiesceEvent:
            heldEvents.append(event)
            work(context)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    /// Goes as far as it can with the bytes that are there.
    private func work(_ context: ChannelHandlerContext) {
        // What is sent on may be answered before it returns.
        if isWorking { return }
        isWorking = true
        var counted = 0
        var canGoOn = true
        while canGoOn {
            let step = held.withUnsafeReadableBytes { connection.step($0) }
            switch step {
            case .count(let route, let banner, let sender, let byteCount):
                if count(banner, route, sender, context) {
                    connection.counted()
                    counted += 1
                    held.moveReaderIndex(forwardBy: byteCount)
                } else {
                    connection.handOver(byteCount: byteCount)
                }
            case .forward(let byteCount, _):
                noteEnd(of: &counted)
                forward(byteCount, step, context)
            case .forwardAll:
                noteEnd(of: &counted)
                forward(held.readableBytes, step, context)
            case .wait: canGoOn = false
            }
        }
        noteEnd(of: &counted)
        isWorking = false
        keepWhatIsLeft(context)
        releaseEvents(context)
        readOn(context)
    }

    /// - Returns: false when it may not be counted here.
    private func count(
        _ banner: BannerID, _ route: HotRoute, _ place: HotSender, _ context: ChannelHandlerContext
    ) -> Bool {
        lane.count(banner, route, for: self) { judge, now, day in
            held.withUnsafeReadableBytes { bytes in
                sender.judge(
                    UnsafeRawBufferPointer(rebasing: bytes[place.userAgent]),
                    UnsafeRawBufferPointer(rebasing: bytes[place.forwarded]), banner,
                    peer: context.channel.remoteAddress, judge: judge, at: now, on: day)
            }
        }
    }

    private func noteEnd(of counted: inout Int) {
        if counted == 0 { return }
        deadline.requestsEnded(counted, begins: held.readableBytes > 0)
        counted = 0
    }

    private func forward(_ byteCount: Int, _ step: HotConnection.Step, _ context: ChannelHandlerContext) {
        guard let bytes = held.readSlice(length: byteCount) else { preconditionFailure("no more than there is") }
        deadline.requestBegins(context)
        connection.willForward(step)
        hasForwarded = true
        context.fireChannelRead(wrapInboundOut(bytes))
        connection.didForward()
    }

    /// Keeps few bytes, and not the large buffer that they came in, which the connection's next reading can use.
    private func keepWhatIsLeft(_ context: ChannelHandlerContext) {
        if held.readableBytes == 0 {
            held = ByteBuffer()
            return
        }
        if held.readableBytes * 4 < held.capacity { held = ByteBuffer(buffer: held) }
        if connection.isAtRest { deadline.requestBegins(context) }
    }

    private func releaseEvents(_ context: ChannelHandlerContext) {
        if heldEvents.isEmpty { return }
        if connection.isAtRest, held.readableBytes > 0 {
            // A request that has begun and will not end: what that means, the codec decides.
            connection.giveUp()
            if heldEvents.contains(where: { $0 as? ChannelEvent == .inputClosed }) {
                hasForwarded = true
                context.fireChannelRead(wrapInboundOut(held))
                channelReadComplete(context: context)
            }
            held.clear()
        }
        guard connection.unanswered == 0, held.readableBytes == 0 else { return }
        let events = heldEvents
        heldEvents = []
        for event in events { context.fireUserInboundEventTriggered(event) }
    }

    // MARK: Reading no more than can be kept

    func read(context: ChannelHandlerContext) {
        if mayRead(context) { context.read() } else { isReadDeferred = true }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        readOn(context)
        context.fireChannelWritabilityChanged()
    }

    private func mayRead(_ context: ChannelHandlerContext) -> Bool {
        if connection.isSlow { return true }
        // Nothing new is begun on a connection that is to end.
        if !heldEvents.isEmpty, !connection.isForwarding { return false }
        // Answers that nobody takes would pile up; the codec's side looks after its own.
        return held.readableBytes < HotPathHandler.mostHeldBytes
            && connection.unanswered < HotPathHandler.mostUnanswered && context.channel.isWritable
    }

    private func readOn(_ context: ChannelHandlerContext) {
        guard isReadDeferred, mayRead(context) else { return }
        isReadDeferred = false
        context.read()
    }

    // MARK: What goes out

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        context.triggerUserOutboundEvent(event, promise: promise)
        switch event as? RequestEvent {
        case .requestEnded:
            connection.requestEnded()
        case .answerEnded:
            connection.answerEnded()
            work(context)
            if hasForwarded { channelReadComplete(context: context) }
        default: break
        }
    }

    /// The lane has these answers to the oldest requests that were counted.
    func write(_ answers: ByteBuffer, count: Int) {
        guard let context else { return }
        connection.answered(count)
        deadline.requestsAnswered(count)
        context.writeAndFlush(wrapOutboundOut(answers), promise: nil)
        if held.readableBytes > 0 || !heldEvents.isEmpty {
            work(context)
            if hasForwarded { channelReadComplete(context: context) }
        } else {
            readOn(context)
        }
    }
}
