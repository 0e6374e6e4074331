// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHTTP1

/// Tells `RequestDeadlineHandler`, which is ahead of the HTTP codec, where requests and answers begin and end. Sits right
/// behind the codec.
final class RequestEventHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private let malformed: Counter

    /// - Parameter malformed: counts what is no HTTP.
    init(malformed: Counter) { self.malformed = malformed }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head: context.triggerUserOutboundEvent(RequestEvent.headArrived, promise: nil)
        case .body: break
        case .end: context.triggerUserOutboundEvent(RequestEvent.requestEnded, promise: nil)
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let part = unwrapOutboundIn(data)
        if case .head = part { context.triggerUserOutboundEvent(RequestEvent.answerBegan, promise: nil) }
        context.write(data, promise: promise)
        if case .end = part { context.triggerUserOutboundEvent(RequestEvent.answerEnded, promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if error is HTTPParserError { malformed.add() }
        context.fireErrorCaught(error)
    }
}
