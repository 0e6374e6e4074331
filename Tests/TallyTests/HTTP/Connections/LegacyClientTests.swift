// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TallyServer

@Suite("Clients of HTTP/1.0", .timeLimit(.minutes(3)))
struct LegacyClientTests {
    private func untilClose(_ server: HotServer, _ request: String) async throws -> String {
        try await RawConnection.with(port: server.port) { connection in
            try await connection.send(request)
            return await connection.readUntilClose()
        }
    }

    @Test("get an answer that ends with the connection", arguments: [true, false])
    func closes(hotPath: Bool) async throws {
        try await HotServer.with(hotPath: hotPath) { server in
            let counted = try await untilClose(server, "GET /counter/1 HTTP/1.0\r\n\r\n")
            #expect(counted.hasPrefix("HTTP/1.0 204 No Content\r\n"), "\(counted)")
            #expect(counted.lowercased().contains("connection: close\r\n"))
            let page = try await untilClose(server, "GET /openapi.json HTTP/1.0\r\nHost: a\r\n\r\n")
            #expect(page.hasPrefix("HTTP/1.0 200 OK\r\n"))
            #expect(try await server.node.total(banner: 1) == 1)
        }
    }

    @Test("never get a chunked one, however long it is")
    func long() async throws {
        try await HotServer.with { server in
            // 105,000 minutes.
            _ = try await untilClose(server, "GET /counter/1 HTTP/1.0\r\n\r\n")
            let range = "from=2024-10-01T00:00:00Z&to=2024-12-13T00:00:00Z&step=1m&fill=zero&banner=1"
            let answer = try await untilClose(server, "GET /v1/series?\(range)&format=ndjson HTTP/1.0\r\n\r\n")
            #expect(answer.hasPrefix("HTTP/1.0 "), "\(answer.prefix(500))")
            #expect(!answer.lowercased().contains("transfer-encoding"), "\(answer.prefix(500))")
            // In HTTP/1.1 the same one is chunked, so that this shows something.
            let chunked = try await untilClose(
                server, "GET /v1/series?\(range)&format=ndjson HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            #expect(chunked.lowercased().contains("transfer-encoding: chunked"), "\(chunked.prefix(500))")
        }
    }

    @Test("keep a connection that they ask for, as ApacheBench does", arguments: [true, false])
    func keepsAlive(hotPath: Bool) async throws {
        try await HotServer.with(hotPath: hotPath) { server in
            try await RawConnection.with(port: server.port) { connection in
                for _ in 0..<3 {
                    try await connection.send("GET /healthz HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n")
                    let head = try #require(try await connection.read(until: "\r\n\r\n"))
                    #expect(
                        head.hasPrefix("HTTP/1.0 200 OK\r\n") && head.contains("Connection: keep-alive\r\n"), "\(head)")
                    let length = try #require(head.firstMatch(of: /[Cc]ontent-[Ll]ength: (\d+)/).flatMap { Int($0.1) })
                    #expect(length > 0)
                    _ = try await connection.read(until: "ok\n")
                }
            }
        }
    }
}
