// SPDX-License-Identifier: Apache-2.0

import TallyCore
import Testing

@testable import TallyServer

@Suite("What a hot request is")
struct HotRequestTests {
    private static let host = "Host: x\r\n"

    private func read(_ text: String) -> HotRequest {
        Array(text.utf8).withUnsafeBytes { HotRequest($0) }
    }

    private func head(_ line: String, _ fields: String = HotRequestTests.host) -> String {
        line + " HTTP/1.1\r\n" + fields + "\r\n"
    }

    private func expectPlain(
        _ text: String, _ route: HotRoute, _ banner: Int64, agent: String? = nil, forwarded: String? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let sender = HotSender(userAgent: place(of: agent, in: text), forwarded: place(of: forwarded, in: text))
        let expected = HotRequest.plain(route, BannerID(banner)!, sender, byteCount: text.utf8.count)
        #expect(read(text) == expected, sourceLocation: sourceLocation)
        #expect(read(text + "GET /") == expected, "what follows is another's", sourceLocation: sourceLocation)
    }

    private func place(of value: String?, in text: String) -> Range<Int> {
        guard let value, let found = text.utf8.firstRange(of: value.utf8) else { return 0..<0 }
        let start = text.utf8.distance(from: text.utf8.startIndex, to: found.lowerBound)
        return start..<start + value.utf8.count
    }

    private func expectFramed(_ text: String, body: Int = 0, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(read(text) == .framed(byteCount: text.utf8.count + body), sourceLocation: sourceLocation)
    }

    @Test func `the four plain forms`() {
        expectPlain(head("GET /counter/7"), .getCounter, 7)
        expectPlain(head("POST /counter/42"), .postCounter, 42)
        expectPlain(head("GET /v1/pixel/1"), .pixel, 1)
        expectPlain(head("POST /v1/beacon/999999999999999999"), .beacon, 999_999_999_999_999_999)
    }

    @Test(arguments: [
        "Host: x\r\nCookie: a=b; c=\"d\"\r\n",
        "hOST:x\r\n", "Host:\r\n", "Host: x\r\nConnection: Keep-Alive\r\n", "Host: x\r\nX-Empty:\r\n",
        "Host:     x     \r\n", "Host: x\r\nExpectation: 1\r\nUpgrades: 2\r\n",
        "Host: x\r\n!#$%&'*+-.^_`|~09AZaz: 1\r\n",
    ])
    func `ordinary fields change nothing`(fields: String) {
        expectPlain(head("GET /counter/7", fields), .getCounter, 7)
    }

    @Test func `who sent it is found, and whoever says it twice is for the routes`() {
        let fields = "Host: x\r\nuser-AGENT:  Mozilla/5.0 (X11; \u{e4}) \r\nX-Forwarded-For: 192.0.2.7, ::1\r\n"
        expectPlain(
            head("GET /counter/7", fields), .getCounter, 7, agent: "Mozilla/5.0 (X11; \u{e4})",
            forwarded: "192.0.2.7, ::1")
        expectPlain(head("GET /counter/7", "Host: x\r\nUser-Agent:\r\n"), .getCounter, 7)
        expectFramed(head("GET /counter/7", fields + "User-Agent: y\r\n"))
        expectFramed(head("GET /counter/7", fields + "X-Forwarded-For: y\r\n"))
    }

    @Test func `the address is found in the field that is named`() {
        func read(_ fields: String, _ name: String) -> HotRequest {
            Array(head("GET /counter/7", "Host: x\r\n" + fields).utf8).withUnsafeBytes {
                HotRequest($0, addressName: Array(name.utf8))
            }
        }
        func address(_ fields: String, _ name: String) -> Range<Int>? {
            guard case .plain(_, _, let sender, _) = read(fields, name) else { return nil }
            return sender.forwarded
        }
        let start = "GET /counter/7 HTTP/1.1\r\nHost: x\r\n".utf8.count
        #expect(address("X-Real-IP: 192.0.2.7\r\n", "x-real-ip") == start + 11..<start + 20)
        #expect(address("FORWARDED:for=a\r\n", "forwarded") == start + 10..<start + 15)
        #expect(address("cf-connecting-ip:  ::1  \r\n", "cf-connecting-ip") == start + 19..<start + 22)
        #expect(address("X-Forwarded-For: 192.0.2.7\r\nX-Real-IQ: 1\r\n", "x-real-ip") == 0..<0)
        #expect(address("X\u{8}Real-IP: 1\r\n", "x-real-ip") == nil, "no name of a field")
        #expect(address("a_b: 1\r\n", "a_b") == start + 5..<start + 6)
        #expect(address("a\u{7F}b: 1\r\n", "a_b") == nil)
        #expect(address("X-Real-IP: 1\r\nx-real-ip: 2\r\n", "x-real-ip") == nil, "two are for the routes")
    }

    @Test func `a POST may say that it has no body`() {
        expectPlain(head("POST /counter/7", "Host: x\r\nContent-Length: 0\r\n"), .postCounter, 7)
        expectFramed(head("POST /counter/7", "Host: x\r\nContent-Length: 00\r\n"))
        expectFramed(head("GET /counter/7", "Host: x\r\nContent-Length: 0\r\n"))
        expectFramed(head("POST /v1/beacon/7", "Host: x\r\nContent-Length: 5\r\n"), body: 5)
    }

    @Test(arguments: [
        "GET /counter/", "GET /counter/0", "GET /counter/07", "GET /counter/7/", "GET /counter/7?id=1",
        "GET /counter/%37",
        "GET /counter/9223372036854775807", "GET /counter/12345678901234567890123", "GET /counter/-7",
        "GET /counter/7a",
        "HEAD /counter/7", "PUT /counter/7", "DELETE /counter/7", "PATCH /counter/7", "OPTIONS /counter/7",
        "POST /v1/pixel/7", "GET /v1/beacon/7", "GET /Counter/7", "GET //counter/7", "GET /counters/7", "GET /",
        "POST /v1/events", "GET /v1/series?banner=1",
    ])
    func `all else with a clear end is somebody else's`(line: String) {
        expectFramed(head(line))
    }

    @Test(arguments: [
        "Origin: https://example.org", "Sec-Purpose: prefetch", "Purpose: prefetch", "X-Purpose: preview",
        "x-MOZ: prefetch",
    ])
    func `what the routes look at is for the routes`(field: String) {
        expectFramed(head("GET /v1/pixel/7", "Host: x\r\n\(field)\r\n"))
    }

    @Test func `a body is a part of its request, whatever is in it`() {
        expectFramed(head("POST /v1/events", "Content-Length: 12\r\nHost: x\r\n"), body: 12)
        expectFramed(head("PUT /v1/banners/1", "Host: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n"), body: 2)
        expectFramed(head("GET /counter/7", "Host: x\r\nExpect: 100-continue\r\n"))
    }

    @Test(
        "whatever could be read in two ways is odd",
        arguments: [
            "Host: x\r\nContent-Length: 1\r\nContent-Length: 1\r\n",
            "Host: x\r\nContent-Length: 0\r\nContent-Length: 5\r\n",
            "Host: x\r\nContent-Length: +1\r\n", "Host: x\r\nContent-Length: 1,1\r\n", "Host: x\r\nContent-Length:\r\n",
            "Host: x\r\nContent-Length: 0x1\r\n", "Host: x\r\nContent-Length: 1 2\r\n",
            "Host: x\r\nContent-Length: 1234567890123456\r\n",
            "Host: x\r\nTransfer-Encoding: chunked\r\n", "Host: x\r\ntransfer-encoding: identity\r\n",
            "Host: x\r\nUpgrade: h2c\r\n", "Host: x\r\nConnection: close\r\n", "Host: x\r\nConnection: upgrade\r\n",
            "Host: x\r\nConnection: keep-alive, close\r\n", "Host: x\r\nProxy-Connection: keep-alive\r\n",
            "", "Host: x\r\nHost: x\r\n",
            "Host: x\r\n folded\r\n", "Host: x\r\n\tfolded\r\n", " Host: x\r\n", "Host : x\r\n", "Host\r\n", ": x\r\n",
            "H\u{e4}st: x\r\n", "Host: x\r\nA: \u{0}\r\n", "Host: x\r\nA: \u{7f}\r\n", "Host: x\r\nA: \tb\r\n",
            "Host: x\nA: b\r\n", "Host: x\r\nA: b\rC: d\r\n", "Host: x\r\nA(b): c\r\n",
        ])
    func odd(fields: String) {
        #expect(read(head("GET /counter/7", fields)) == .odd)
        #expect(read(head("POST /v1/events", fields)) == .odd)
    }

    @Test(arguments: [
        "\r\nGET /counter/7 HTTP/1.1\r\n", "get /counter/7 HTTP/1.1\r\n", "GET  /counter/7 HTTP/1.1\r\n",
        "GET /counter/7  HTTP/1.1\r\n", "GET /counter/7 HTTP/1.0\r\n", "GET /counter/7 HTTP/1.2\r\n",
        "GET /counter/7 http/1.1\r\n", "GET /counter/7 HTTP/1.1 \r\n", "GET /counter/7 HTTP/1.1\n",
        "GET /counter/7\r\n",
        "GET http://x/counter/7 HTTP/1.1\r\n", "GET * HTTP/1.1\r\n", "GET\t/counter/7 HTTP/1.1\r\n",
        "GET /counter/\u{e4} HTTP/1.1\r\n", "GET /counter/7\u{0} HTTP/1.1\r\n", "CONNECT x:1 HTTP/1.1\r\n",
        "PRI * HTTP/2.0\r\n", "\u{16}\u{3}\u{1}", "GETS / HTTP/1.1\r\n",
    ])
    func `a first line that isn't the plainest is odd`(line: String) {
        #expect(read(line + HotRequestTests.host + "\r\n") == .odd)
    }

    @Test func `every beginning of a request is incomplete, and nothing else`() {
        for text in [
            head("GET /counter/7"), head("DELETE /v1/banners/1"),
            head("POST /v1/beacon/7", "Host: x\r\nA: b\r\nContent-Length: 0\r\n"),
        ] {
            for length in 0..<text.utf8.count {
                let part = String(decoding: text.utf8.prefix(length), as: UTF8.self)
                #expect(read(part) == .incomplete)
            }
        }
    }

    @Test func `a head is bounded, in bytes and in fields`() {
        let room = HotRequest.mostHeadBytes - head("GET /counter/7", "Host: x\r\nA: \r\n").utf8.count
        let longest = head("GET /counter/7", "Host: x\r\nA: \(String(repeating: "x", count: room))\r\n")
        expectPlain(longest, .getCounter, 7)
        #expect(read(head("GET /counter/7", "Host: x\r\nA: \(String(repeating: "x", count: room + 1))\r\n")) == .odd)
        #expect(read("GET /" + String(repeating: "x", count: 10_000)) == .odd)
        func fields(_ count: Int) -> String { "Host: x\r\n" + String(repeating: "A: b\r\n", count: count - 1) }
        expectPlain(head("GET /counter/7", fields(HotRequest.mostFields)), .getCounter, 7)
        #expect(read(head("GET /counter/7", fields(HotRequest.mostFields + 1))) == .odd)
    }
}
