// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHTTP1

/// Answers clients of HTTP/1.0 as they understand it (RFC 9112, sections 6.1 and 9.3): never chunked, and the connection is closed
/// behind the answer, which is how they know its end. It stays open when the client asks for that (`Connection: keep-alive`) and
/// the answer has a `Content-Length`. Sits behind `LastAnswerHandler`, which closes.
final class LegacyClientHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private enum Client {
        case present
        case legacy(keepsAlive: Bool)
    }

    /// Of the requests that are not answered.
    private var clients = CircularBuffer<Client>(initialCapacity: 4)

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .head(let head) = unwrapInboundIn(data) { clients.append(LegacyClientHandler.client(head)) }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .head(var head) = unwrapOutboundIn(data), case .legacy(let keepsAlive)? = clients.popFirst() else {
            return context.write(data, promise: promise)
        }
        // The encoder frames by it.
        head.version = .http1_0
        let isKept = keepsAlive && head.headers.contains(name: "content-length")
        let isLast = head.headers[canonicalForm: "connection"].contains("close")
        if !isLast { head.headers.replaceOrAdd(name: "Connection", value: isKept ? "keep-alive" : "close") }
        context.write(wrapOutboundOut(.head(head)), promise: promise)
    }

    private static func client(_ head: HTTPRequestHead) -> Client {
        guard head.version.major == 1, head.version.minor == 0 else { return .present }
        let keepsAlive = head.headers[canonicalForm: "connection"].contains { $0.lowercased() == "keep-alive" }
        return .legacy(keepsAlive: keepsAlive)
    }
}
