// SPDX-License-Identifier: Apache-2.0

import TallySimulator

/// What clients may send: plain, odd and hostile, as whole streams of bytes for one connection.
enum HotCorpus {
    struct Stream {
        /// As they are sent, one after the other.
        var pieces: [[UInt8]]

        init(_ text: String) { pieces = [Array(text.utf8)] }
        init(pieces: [[UInt8]]) { self.pieces = pieces }

        var bytes: [UInt8] { pieces.flatMap { $0 } }
        var text: String {
            pieces.map { String(decoding: $0, as: UTF8.self).debugDescription }.joined(separator: " | ")
        }
    }

    private static func head(_ line: String, _ fields: String = "Host: x\r\n", _ body: String = "") -> String {
        "\(line) HTTP/1.1\r\n\(fields)\r\n\(body)"
    }

    /// Counted ahead of the codec.
    static let plain: [String] = [
        head("GET /counter/7"), head("POST /counter/8"), head("GET /v1/pixel/9"), head("POST /v1/beacon/10"),
        head("POST /counter/11", "host: x\r\nCONTENT-LENGTH: 0\r\n"),
        head("GET /counter/12", "Host: x\r\nConnection: keep-alive\r\nUser-Agent: a/1 (b; c)\r\nAccept: */*\r\n"),
        head("GET /counter/999999999999999999", "Host:\r\nX: \u{e4}\r\n"),
        head("GET /counter/12", "Host: x\r\nUser-Agent: Googlebot/2.1\r\n"),
        head("GET /v1/pixel/9", "Host: x\r\nuser-agent: Mozilla/5.0 HeadlessChrome/131.0 \u{e4}\r\n"),
        head("POST /v1/beacon/10", "Host: x\r\nUser-Agent: a/1 (b; c)\r\nX-Forwarded-For: 192.0.2.1\r\n"),
    ]

    /// For the routes, with a clear end.
    static let framed: [String] = [
        head("GET /counter/0"), head("GET /counter/07"), head("GET /counter/9223372036854775807"),
        head("GET /counter/9223372036854775808"), head("GET /counter/%37"), head("GET /counter/7/"),
        head("GET /counter/"),
        head("GET /counter/7?kind=view"), head("GET /counter/7?kind=Bad"), head("GET /counter/13?id=once"),
        head("GET //counter/7"), head("GET /counter/7x"), head("GET /counter/7#x"), head("HEAD /counter/7"),
        head("HEAD /v1/pixel/7"), head("PUT /counter/7"), head("DELETE /counter/7"), head("OPTIONS /counter/7"),
        head("PATCH /v1/pixel/7"), head("GET /v1/beacon/7"), head("POST /v1/pixel/7"), head("GET /healthz"),
        head("GET /nowhere"), head("GET /v1/click/7"), head("GET /v1/banners/77"), head("GET /v1/pixel/x"),
        head("POST /v1/beacon/10", "Host: x\r\nContent-Length: 5\r\n", "hello"),
        head("POST /counter/7", "Host: x\r\nContent-Length: 3\r\n", "GET"),
        head("GET /counter/7", "Host: x\r\nContent-Length: 39\r\n", "GET /counter/7 HTTP/1.1\r\nHost: xxxx\r\n\r\n"),
        head("GET /counter/7", "Host: x\r\nContent-Length: 0\r\n"),
        head("GET /counter/7", "Host: x\r\nExpect: nothing\r\n"),
        head("GET /counter/7", "Host: x\r\nOrigin: https://example.org\r\n"),
        head("POST /v1/beacon/7", "Host: x\r\nOrigin: https://example.org\r\nContent-Length: 0\r\n"),
        head("GET /v1/pixel/7", "Host: x\r\nSec-Purpose: prefetch\r\n"),
        head("GET /v1/pixel/7", "Host: x\r\nX-Moz: prefetch\r\n"),
        head("POST /v1/events", "Host: x\r\nContent-Length: 13\r\n", #"{"banner":14}"#),
        head("POST /v1/events", "Host: x\r\nContent-Length: 2\r\n", "[]"),
        head("POST /v1/events", "Host: x\r\nContent-Length: 0\r\n"),
        head(
            "POST /stats/99", "Host: x\r\nContent-Length: 55\r\n",
            #"{"from":"2020-01-01T00:00:00","to":"2020-01-02T00:00"} "#),
        head("POST /v1/events", "Host: x\r\nContent-Length: 8388609\r\n"),
        head("GET /counter/7", "Host: x\r\nUser-Agent: a\r\nUser-Agent: bot\r\n"),
        head("GET /counter/7?kind=view", "Host: x\r\nUser-Agent: Googlebot/2.1\r\n"),
    ]

    /// Nobody can tell from these alone where a request ends, or it is none.
    static var odd: [String] {
        var texts = oddLines
        for field in oddFields {
            let fields = "Host: x\r\n\(field)"
            texts += [head("GET /counter/7", fields), head("POST /v1/beacon/7", fields)]
        }
        for line in ["GET /counter/7", "POST /counter/7", "POST /v1/events"] { texts += chunked(line) }
        return texts
    }

    private static let oddFields: [String] = [
        "Content-Length: 1\r\nContent-Length: 1\r\n", "Content-Length: 0\r\nContent-Length: 5\r\n",
        "Content-Length: +0\r\n", "Content-Length: 0,0\r\n", "Content-Length:\r\n", "Content-Length: 0x0\r\n",
        "Content-Length: -1\r\n", "Content-Length: 00000000000000000000\r\n", "Content-Length: 0 0\r\n",
        "Content-Length: 18446744073709551616\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: chunked, identity\r\n", "Transfer-Encoding : chunked\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding:\tchunked\r\n", "Transfer\u{2d}Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Upgrade: h2c\r\nConnection: upgrade\r\n", "Upgrade: websocket\r\n", "Connection: upgrade\r\n",
        "Connection: close\r\n", "Connection: keep-alive, close\r\n", "Proxy-Connection: close\r\n", "Host: y\r\n",
        " folded\r\n", "\tfolded\r\n", "X: a\r\n folded\r\n", "X : y\r\n", "X\r\n", ": y\r\n", "X: \u{0}\r\n",
        "X: \u{1}\r\n", "X: \u{7f}\r\n", "X:\ty\r\n", "X: a\rY: b\r\n", "X: a\nY: b\r\n", "X: a\r\r\n",
        "X(y): z\r\n",
        "\u{e4}: z\r\n",
    ]

    private static func chunked(_ line: String) -> [String] {
        let head = head(line, "Host: x\r\nTransfer-Encoding: chunked\r\n")
        return [
            head + "0\r\n\r\n", head + "d\r\n{\"banner\":15}\r\n0\r\n\r\n",
            head + "d;x=y\r\n{\"banner\":15}\r\n0\r\nT: x\r\n\r\n", head + "zz\r\n",
        ]
    }

    private static let oddLines: [String] = [
        "\r\n\(head("GET /counter/7"))", "\n\(head("GET /counter/7"))", "\r\n\r\n", " \(head("GET /counter/7"))",
        "get /counter/7 HTTP/1.1\r\nHost: x\r\n\r\n", "GET  /counter/7 HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /counter/7  HTTP/1.1\r\nHost: x\r\n\r\n", "GET /counter/7 HTTP/1.0\r\nHost: x\r\n\r\n",
        "GET /counter/7 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "GET /counter/7 HTTP/1.2\r\nHost: x\r\n\r\n",
        "GET /counter/7 HTTP/2.0\r\nHost: x\r\n\r\n", "GET /counter/7 http/1.1\r\nHost: x\r\n\r\n",
        "GET /counter/7 HTTP/1.1 \r\nHost: x\r\n\r\n", "GET /counter/7 HTTP/1.1\nHost: x\n\n",
        "GET /counter/7 HTTP/1.1\r\nHost: x\n\r\n", "GET /counter/7\r\n\r\n", "GET /counter/7 HTTP/1.1\r\n\r\n",
        "GET http://x/counter/7 HTTP/1.1\r\nHost: x\r\n\r\n", "GET HTTP://x/counter/7 HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET * HTTP/1.1\r\nHost: x\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
        "CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /counter/\u{e4} HTTP/1.1\r\nHost: x\r\n\r\n", "GET /counter/7\u{0} HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET\t/counter/7 HTTP/1.1\r\nHost: x\r\n\r\n", "BREW /counter/7 HTTP/1.1\r\nHost: x\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\u{16}\u{3}\u{1}\u{2}\u{0}", "{}", "\u{0}",
        head("GET /counter/7", "Host: x\r\nA: \(String(repeating: "a", count: 9_000))\r\n"),
        head("GET /counter/7", "Host: x\r\n\(String(repeating: "A: b\r\n", count: 70))"),
        head("GET /counter/7", "Host: x\r\n\(String(repeating: "A: b\r\n", count: 120))"),
        head("GET /\(String(repeating: "y", count: 9_000))"),
    ]

    /// Each alone, behind and before a plain one, and broken off at some places.
    static var single: [Stream] {
        var streams: [Stream] = []
        let click = plain[0]
        for text in plain + framed + odd {
            streams += [Stream(text), Stream(click + text), Stream(text + click), Stream(text + text + click)]
            let length = text.utf8.count
            for place in [1, 5, 12, length / 2, length - 2, length - 1] where place > 0 {
                streams.append(Stream(pieces: [Array(click.utf8) + Array(text.utf8.prefix(place))]))
            }
        }
        return streams
    }

    /// A few streams, cut in two at each place, and into single bytes.
    static var cut: [Stream] {
        let events = framed.first { $0.contains("banner") } ?? ""
        let chunked = odd.first { $0.contains("banner") } ?? ""
        let broken = "GET /counter/7 HTTP/1.1\r\nHost: x\r\nX : y\r\n\r\n"
        let mixes: [[String]] = [
            [plain[0], plain[2], framed[21], plain[3]], [framed[26], plain[4], events, plain[0]], [plain[1], broken],
            [chunked, plain[0]],
        ]
        var streams: [Stream] = []
        for mix in mixes {
            let bytes = Array(mix.joined().utf8)
            for place in 1..<bytes.count {
                streams.append(Stream(pieces: [Array(bytes[..<place]), Array(bytes[place...])]))
            }
            streams.append(Stream(pieces: bytes.map { [$0] }))
        }
        return streams
    }

    /// Requests of all sorts behind one another, in pieces.
    static func mixed(_ count: Int, using random: inout SeededGenerator) -> [Stream] {
        (0..<count).map { _ in
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                let sort = Int.random(in: 0..<100, using: &random)
                let pool = sort < 55 ? plain : sort < 92 ? framed : odd
                bytes += Array(pool[Int.random(in: 0..<pool.count, using: &random)].utf8)
            }
            if random.chance(20) { mutate(&bytes, using: &random) }
            return Stream(pieces: pieces(of: bytes, using: &random))
        }
    }

    /// A byte or two are others, missing, or too many.
    private static func mutate(_ bytes: inout [UInt8], using random: inout SeededGenerator) {
        for _ in 0..<Int.random(in: 1...2, using: &random) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            let byte =
                [0x0A, 0x0D, 0x20, 0x3A, 0x00, 0x09, 0x30, UInt8.random(in: 0...255, using: &random)]
                .randomElement(using: &random) ?? 0
            switch Int.random(in: 0...2, using: &random) {
            case 0: bytes[place] = byte
            case 1: bytes.remove(at: place)
            default: bytes.insert(byte, at: place)
            }
        }
    }

    private static func pieces(of bytes: [UInt8], using random: inout SeededGenerator) -> [[UInt8]] {
        var pieces: [[UInt8]] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let size = random.chance(50) ? rest.count : Int.random(in: 1...60, using: &random)
            pieces.append(Array(rest.prefix(size)))
            rest = rest.dropFirst(size)
        }
        return pieces
    }
}
