// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import NIOCore
import NIOHTTP1

/// Counts what is no HTTP, and puts a text into the answer to it, which Hummingbird leaves empty. Sits behind the HTTP codec.
final class MalformedRequestHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private let malformed: Counter
    private var problem: Problem?
    private var fault: RequestFramingHandler.Fault?

    init(malformed: Counter) { self.malformed = malformed }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? RequestFramingHandler.Fault { fault = event }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? HTTPParserError {
            malformed.add()
            problem = Problem(error, fault)
        }
        context.fireErrorCaught(error)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard let problem, case .head(var head) = unwrapOutboundIn(data), head.status == .badRequest,
            head.headers.first(name: "content-length") == "0"
        else { return context.write(data, promise: promise) }
        let body = ByteBuffer(bytes: problem.json(.problem))
        head.headers.replaceOrAdd(name: "Content-Length", value: String(body.readableBytes))
        head.headers.replaceOrAdd(name: "Content-Type", value: Problem.Style.problem.contentType)
        context.write(wrapOutboundOut(.head(head)), promise: promise)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
    }
}

extension Problem {
    fileprivate init(_ error: HTTPParserError, _ fault: RequestFramingHandler.Fault?) {
        let detail =
            switch error {
            case .invalidEOFState, .closedConnection: "the connection ended before the request did"
            case .headerOverflow: "the head of the request is too large"
            default: "what came is no HTTP/1.1 (\(error))"
            }
        self.init(.badRequest, "malformed", "The request can't be read", fault?.detail ?? detail)
    }
}
