// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEndTests {
    @Suite("Asked to stop, the server stops and loses nothing", .timeLimit(.minutes(5)))
    struct StopTests {
        private static let halfARequest =
            "POST /v1/events HTTP/1.1\r\nHost: tally\r\nContent-Length: 1000\r\n\r\n" + #"{"banner":7}"#

        @Test("it ends with 0 and has everything after the next start", arguments: [SIGTERM, SIGINT])
        func gracefulStop(signal: Int32) async throws {
            try await withSandbox { sandbox in
                let first = try await sandbox.serve()
                try await first.client.click(7, times: 3)
                #expect(try await first.terminate(signal: signal, within: .seconds(10)) == .code(0))

                let second = try await sandbox.serve()
                #expect(try await second.client.total(of: 7) == 3)
            }
        }

        @Test("clients that go on counting meanwhile get an answer or a closed connection, and no false promise")
        func stopUnderLoad() async throws {
            try await withSandbox { sandbox in
                let first = try await sandbox.serve()
                let client = first.client
                let (acknowledged, exit) = try await withThrowingTaskGroup(of: Int.self) { group in
                    for _ in 1...10 {
                        group.addTask {
                            var clicks = 0
                            while let answer = try? await client.count(7), answer.status == 204 { clicks += 1 }
                            return clicks
                        }
                    }
                    try await eventually("the clients are at work") { try await client.total(of: 7) > 50 }
                    let exit = try await first.terminate()
                    return (try await group.reduce(0, +), exit)
                }
                #expect(exit == .code(0), "\(first.errors)")
                let total = try await sandbox.serve().client.total(of: 7)
                #expect((acknowledged...acknowledged + 10).contains(total), "\(acknowledged) were acknowledged")
            }
        }

        @Test("a second signal ends it at once, though a client still holds it", arguments: [SIGTERM, SIGINT])
        func secondSignal(signal: Int32) async throws {
            try await withSandbox { sandbox in
                let first = try await sandbox.serve("--stop-timeout", "1h", "--request-timeout", "1h")
                try await first.client.click(7, times: 3)
                try await RawConnection.with(port: first.port) { connection in
                    try await connection.send(Self.halfARequest)
                    // Answered behind the first half, so that the server has that, too.
                    #expect(try await first.client.get("/healthz").status == 200)
                    first.process.signal(signal)
                    try await eventually("nobody is let in any more") {
                        do {
                            try await RawConnection.with(port: first.port) { _ in }
                            return false
                        } catch {
                            return true
                        }
                    }
                    #expect(first.process.report.exit == nil, "the first signal waits for the request")
                    first.process.signal(signal)
                    _ = try await first.process.waitForExit(within: .seconds(3))
                }
                #expect(try await sandbox.serve().client.total(of: 7) == 3)
            }
        }

        @Test("a request that never ends holds the stop no longer than --stop-timeout")
        func stopTimeout() async throws {
            try await withSandbox { sandbox in
                let first = try await sandbox.serve("--stop-timeout", "2s", "--request-timeout", "1h")
                #expect(try await first.client.count(7).status == 204)
                try await RawConnection.with(port: first.port) { connection in
                    try await connection.send(Self.halfARequest)
                    #expect(try await first.client.get("/healthz").status == 200)
                    #expect(try await first.terminate(within: .seconds(8)) == .code(0))
                }
                #expect(try await sandbox.storedTotal(of: 7) == 1, "the last flush is not left out for such a client")
                #expect(try await sandbox.serve().client.total(of: 7) == 1)
            }
        }
    }
}
