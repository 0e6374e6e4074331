// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHTTP1
import TallyCore

/// Tells `RequestDeadlineHandler`, which is ahead of the HTTP codec, where requests and answers begin and end, and tells a
/// client that asks first (`Expect: 100-continue`) to send its body. Sits right behind the codec.
final class RequestEventHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// Requests whose answers have not ended.
    private var unanswered = 0

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            context.triggerUserOutboundEvent(RequestEvent.headArrived, promise: nil)
            if unanswered == 0, RequestEventHandler.expectsContinue(head) { sendContinue(context: context) }
            unanswered += 1
        case .body: break
        case .end: context.triggerUserOutboundEvent(RequestEvent.requestEnded, promise: nil)
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let part = unwrapOutboundIn(data)
        if case .head = part { context.triggerUserOutboundEvent(RequestEvent.answerBegan, promise: nil) }
        context.write(data, promise: promise)
        if case .end = part {
            unanswered -= 1
            context.triggerUserOutboundEvent(RequestEvent.answerEnded, promise: nil)
        }
    }

    /// A body that would be refused for its size isn't asked for; neither is one behind an answer that is still to come,
    /// since an interim answer must not overtake it. Such a client sends on its own after a while (RFC 9110, 10.1.1).
    private static func expectsContinue(_ head: HTTPRequestHead) -> Bool {
        guard head.version == .http1_1, head.headers.first(name: "expect")?.lowercased() == "100-continue" else {
            return false
        }
        let length = head.headers.first(name: "content-length").flatMap { Int($0) } ?? 0
        return length <= Limits.bodyBytes
    }

    private func sendContinue(context: ChannelHandlerContext) {
        let interim = HTTPServerResponsePart.head(HTTPResponseHead(version: .http1_1, status: .continue))
        context.writeAndFlush(wrapOutboundOut(interim), promise: nil)
    }
}
