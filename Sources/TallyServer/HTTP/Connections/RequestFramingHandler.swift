// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHTTP1

/// Refuses requests of which two readers could disagree where they end or which host they are for, as a malformed one is refused
/// (RFC 9112, sections 3.2 and 6.1): they are answered once with 400, and nothing behind them is read. Sits right behind the HTTP
/// decoder, which lets them pass.
final class RequestFramingHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    /// Told ahead of the error, which has no place for it.
    struct Fault: Equatable {
        let detail: String
    }

    private var hasRefused = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if hasRefused { return }
        guard case .head(let head) = unwrapInboundIn(data), let fault = RequestFramingHandler.fault(head) else {
            return context.fireChannelRead(data)
        }
        hasRefused = true
        context.fireUserInboundEventTriggered(fault)
        context.fireErrorCaught(HTTPParserError.unknown)
    }

    /// What is wrong with a head; nil when nothing is.
    static func fault(_ head: HTTPRequestHead) -> Fault? {
        let codings = head.headers[canonicalForm: "transfer-encoding"]
        if !codings.isEmpty {
            guard codings.count == 1, codings[0].lowercased() == "chunked" else {
                return Fault(detail: "the Transfer-Encoding is not allowed; allowed is chunked, alone")
            }
            guard head.version == .http1_1 else { return Fault(detail: "HTTP/1.0 has no Transfer-Encoding") }
            guard !head.headers.contains(name: "content-length") else {
                return Fault(detail: "the request has both Content-Length and Transfer-Encoding")
            }
        }
        let hosts = head.headers["host"].count
        guard hosts > 1 || hosts == 0 && head.version == .http1_1 else { return nil }
        return Fault(detail: "the request has \(hosts) fields Host; HTTP/1.1 needs exactly one, which may be empty")
    }
}
