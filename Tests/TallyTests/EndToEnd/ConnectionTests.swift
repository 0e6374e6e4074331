// SPDX-License-Identifier: Apache-2.0

import Testing

extension EndToEndTests {
    @Suite("No client harms the others", .timeLimit(.minutes(5)))
    struct ConnectionTests {
        @Test("who sends a byte now and then is cut off, and counts nothing", arguments: OddRequest.slow)
        fileprivate func slowClient(request: OddRequest) async throws {
            try await withSandbox { sandbox in
                let tally = try await sandbox.serve("--request-timeout", "2s")
                let start = ContinuousClock.now
                try await RawConnection.with(port: tally.port) { connection in
                    // The beginning at once, so that it is the body that is slow where there is one.
                    try await connection.send(String(request.text.prefix(70)))
                    connection.drip(String(request.text.dropFirst(70)), every: .milliseconds(200))
                    let answer = await connection.readUntilClose()
                    #expect(!answer.hasPrefix("HTTP/1.1 2"), "\(answer)")
                }
                #expect(start.duration(to: .now) < .seconds(10))
                #expect(start.duration(to: .now) > .seconds(1))
                #expect(try await tally.client.total(of: 7) == 0)
                #expect(try await tally.client.metric("tally_http_timeouts_total") == 1)
            }
        }

        @Test("slow clients don't keep a quick one waiting")
        func slowClientsBesideQuickOnes() async throws {
            try await withSandbox { sandbox in
                let tally = try await sandbox.serve()
                try await RawConnection.with(port: tally.port) { slow in
                    try await slow.send("POST /v1/events HTTP/1.1\r\nHost: tally\r\nContent-Length: 12\r\n\r\n")
                    try await slow.send(#"{"bann"#)
                    try await tally.client.click(8, times: 20)
                    #expect(try await tally.client.total(of: 7) == 0)
                    try await slow.send(#"er":7}"#)
                    #expect(try await slow.read(until: "\r\n\r\n")?.hasPrefix("HTTP/1.1 200") == true)
                }
                #expect(try await tally.client.total(of: 7) == 1)
                #expect(try await tally.client.total(of: 8) == 20)
            }
        }

        @Test("requests sent without waiting are answered in their order")
        func pipelining() async throws {
            try await withSandbox { sandbox in
                let tally = try await sandbox.serve()
                try await RawConnection.with(port: tally.port) { connection in
                    let paths = ["/counter/7", "/healthz", "/counter/7", "/counter/0", "/counter/7"]
                    try await connection.send(paths.map { "GET \($0) HTTP/1.1\r\nHost: tally\r\n\r\n" }.joined())
                    var statuses: [String] = []
                    for _ in paths {
                        // A body may stand before the next status line.
                        let head = try #require(try await connection.read(until: "\r\n\r\n"))
                        let line = try #require(head.firstMatch(of: /HTTP\/1\.1 (\d+)/))
                        statuses.append(String(line.1))
                    }
                    #expect(statuses == ["204", "200", "204", "400", "204"])
                }
                #expect(try await tally.client.total(of: 7) == 3)
            }
        }

        @Test("what is no request is refused, and the server goes on", arguments: OddRequest.refused)
        fileprivate func refusal(request: OddRequest) async throws {
            try await withSandbox { sandbox in
                let tally = try await sandbox.serve("--request-timeout", "1s")
                try await RawConnection.with(port: tally.port) { connection in
                    try await connection.send(request.text)
                    let answer = await connection.readUntilClose()
                    #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 4"), "\(answer)")
                }
                #expect(try await tally.client.count(7).status == 204)
                #expect(try await tally.client.total(of: 7) == 1)
            }
        }
    }
}

/// What no well-behaved client sends.
private struct OddRequest: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let text: String

    init(_ name: String, _ text: String) {
        testDescription = name
        self.text = text
    }

    static let slow = [
        OddRequest("a slow head", "GET /counter/7 HTTP/1.1\r\nHost: tally\r\nX-Padding: \(letters(1000))\r\n\r\n"),
        OddRequest(
            "a slow body",
            "POST /v1/events HTTP/1.1\r\nHost: tally\r\nContent-Length: 1000\r\n\r\n"
                + #"{"banner":7}"# + String(repeating: " ", count: 988)),
    ]

    static let refused = [
        OddRequest("empty lines", "\r\n\r\n\r\n"),
        OddRequest("control characters", "\u{0}\u{1}\u{2}\u{3}\r\n\r\n"),
        OddRequest("a method alone", "GET\r\n\r\n"),
        OddRequest("an unknown version", "GET /counter/7 HTTP/9.9\r\n\r\n"),
        OddRequest("a field without a colon", "GET /counter/7 HTTP/1.1\r\nHost tally\r\n\r\n"),
        OddRequest("a negative length", "POST /v1/events HTTP/1.1\r\nContent-Length: -1\r\n\r\n"),
        OddRequest("a wrong chunk", "POST /v1/events HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
        get("a banner beyond all numbers", "/counter/99999999999999999999"),
        get("a wrong escape", "/counter/%zz"),
        get("an endless event id", "/counter/7?id=\(letters(257))"),
        get("an endless path", "/\(letters(100_000))"),
    ]

    private static func get(_ name: String, _ path: String) -> OddRequest {
        OddRequest(name, "GET \(path) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    }

    private static func letters(_ count: Int) -> String { String(repeating: "a", count: count) }
}
