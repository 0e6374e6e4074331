// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TallyServer

/// With the hot path and without: both leave such requests to the same handlers.
@Suite("Requests that two readers could read differently", .timeLimit(.minutes(3)))
struct RequestFramingTests {
    private static let ambiguous: [(request: String, reason: String)] = [
        ("GET /counter/7 HTTP/1.1\r\n\r\n", "exactly one"),
        ("GET /counter/7 HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "exactly one"),
        ("GET /counter/7 HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "exactly one"),
        ("GET /counter/7 HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", "exactly one"),
        (
            "POST /v1/beacon/7 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            "chunked, alone"
        ),
        ("POST /v1/beacon/7 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", ""),
        ("POST /v1/beacon/7 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n0\r\n\r\n", ""),
        (
            "POST /v1/beacon/7 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "0\r\n\r\n", ""
        ),
        (
            "POST /v1/beacon/7 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
            ""
        ),
        (
            "POST /v1/beacon/7 HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "HTTP/1.0 has no Transfer-Encoding"
        ),
    ]

    @Test("are answered once with 400, count nothing, and end the connection", arguments: [true, false])
    func ambiguous(hotPath: Bool) async throws {
        try await HotServer.with(hotPath: hotPath) { server in
            for (request, reason) in Self.ambiguous {
                let answer = try await RawConnection.with(port: server.port) { connection in
                    try await connection.send(request + "GET /counter/8 HTTP/1.1\r\nHost: a\r\n\r\n")
                    return await connection.readUntilClose()
                }
                #expect(answer.hasPrefix("HTTP/1.1 400 Bad Request\r\n"), "\(request.debugDescription): \(answer)")
                #expect(
                    answer.matches(of: /HTTP\/1\.1 \d/).count == 1, "\(request.debugDescription): \(answer)")
                #expect(answer.contains(reason), "\(request.debugDescription): \(answer)")
            }
            #expect(try await server.node.total(banner: 7) == 0)
            #expect(try await server.node.total(banner: 8) == 0)
        }
    }

    @Test("behind others come after their answers", arguments: [true, false])
    func pipelined(hotPath: Bool) async throws {
        try await HotServer.with(hotPath: hotPath) { server in
            let good = "GET /counter/7 HTTP/1.1\r\nHost: a\r\n\r\n"
            let answer = try await RawConnection.with(port: server.port) { connection in
                try await connection.send(good + good + "GET /counter/7 HTTP/1.1\r\n\r\n" + good)
                return await connection.readUntilClose()
            }
            let statuses = answer.matches(of: /HTTP\/1\.1 (\d+)/).map { String($0.1) }
            #expect(statuses == ["204", "204", "400"], "\(answer)")
            #expect(try await server.node.total(banner: 7) == 2)
        }
    }
}
