// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOEmbedded
import NIOHTTP1

/// libFuzzer calls this with whatever it has thought of. What `HotRequest` is sure of must be what the HTTP codec sees: one
/// request of as many bytes, and behind it the next.
@_cdecl("LLVMFuzzerTestOneInput")
public func tryInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    switch bytes.withUnsafeBytes({ HotRequest($0) }) {
    case .plain(let route, let banner, _, let byteCount):
        let requests = decode(bytes[..<byteCount])
        require(requests.count == 2, "a plain request is \(requests.count - 1)")
        require(requests[0].method == "\(route.method)", "of another method")
        require(requests[0].uri == "\(route.prefix)\(banner)", "of another path")
        require(requests[0].bodyByteCount == 0, "with a body")
        require(requests[0].isKeptAlive, "that ends the connection")
        requireIncomplete(bytes[..<byteCount])
    case .framed(let byteCount):
        // A body that isn't there yet may be anything.
        if byteCount > count + 100_000 { return 0 }
        let whole = bytes.prefix(byteCount) + Array(repeating: UInt8(ascii: "G"), count: max(0, byteCount - count))
        let requests = decode(whole)
        require(requests.count == 2, "a framed request is \(requests.count - 1)")
        require(requests[0].isKeptAlive, "that ends the connection")
    case .incomplete, .odd: break
    }
    return 0
}

/// No part of a whole request is odd, or a request: its bytes may come one by one.
private func requireIncomplete(_ bytes: ArraySlice<UInt8>) {
    bytes.withUnsafeBytes { bytes in
        for length in 0..<bytes.count {
            let part = HotRequest(UnsafeRawBufferPointer(rebasing: bytes[..<length]))
            require(part == .incomplete, "a part of a plain request is \(part)")
        }
    }
}

private struct Request {
    let method: String
    let uri: String
    let isKeptAlive: Bool
    var bodyByteCount = 0
    var hasEnded = false
}

/// What the codec makes of these bytes and one more request behind them, with the server's limits.
private func decode(_ bytes: ArraySlice<UInt8>) -> [Request] {
    var limits = NIOHTTPDecoderLimitConfiguration()
    limits.maxHeaderFieldSize = 32 << 10
    limits.maxHeaderListSize = 32 << 10
    limits.maxHeaderFieldCount = 100
    let decoder = ByteToMessageHandler(HTTPRequestDecoder(limitConfiguration: limits))
    let channel = EmbeddedChannel(handler: decoder)
    let next = "DELETE /next HTTP/1.1\r\nHost: n\r\n\r\n"
    var requests: [Request] = []
    do {
        try channel.writeInbound(ByteBuffer(bytes: bytes))
        try channel.writeInbound(ByteBuffer(string: next))
        while let part = try channel.readInbound(as: HTTPServerRequestPart.self) {
            switch part {
            case .head(let head):
                requests.append(
                    Request(method: head.method.rawValue, uri: head.uri, isKeptAlive: head.isKeepAlive))
            case .body(let body): requests[requests.count - 1].bodyByteCount += body.readableBytes
            case .end(let trailers):
                require(trailers == nil, "a request has trailers")
                requests[requests.count - 1].hasEnded = true
            }
        }
        _ = try channel.finish()
    } catch {
        require(false, "the codec refuses it: \(error)")
    }
    require(requests.allSatisfy(\.hasEnded), "a request does not end")
    require(requests.last?.uri == "/next" && requests.last?.method == "DELETE", "the next request is not seen")
    return requests
}

private func require(_ condition: Bool, _ what: @autoclosure () -> String) {
    if !condition { fatalError(what()) }
}
