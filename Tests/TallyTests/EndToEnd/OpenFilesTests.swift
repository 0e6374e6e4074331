// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOCore
import NIOPosix
import Testing

extension EndToEndTests {
    @Suite("A server with few open files", .timeLimit(.minutes(3)))
    struct OpenFilesTests {
        private static let files = 256
        /// More than it may have files.
        private static let connections = 350

        private func serve(_ sandbox: Sandbox) async throws -> TallyProcess {
            let command = "ulimit -n \(Self.files); exec \"$0\" serve --data \"$1\" --listen 127.0.0.1:0"
            let child = try sandbox.start(["-c", command, Sandbox.executable, sandbox.data], executable: "/bin/sh")
            let tally = try await TallyProcess(child)
            try await tally.waitUntilReady()
            return tally
        }

        private func connect(_ count: Int, to port: Int, sending text: String = "") async throws -> [any Channel] {
            var channels: [any Channel] = []
            for _ in 0..<count {
                let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                    .connect(host: "127.0.0.1", port: port).get()
                // One that was refused may be closed already.
                if !text.isEmpty { try? await channel.writeAndFlush(ByteBuffer(string: text)) }
                channels.append(channel)
            }
            return channels
        }

        private func openFiles(_ process: Int32) throws -> Int {
            try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd").count
        }

        @Test("closes idle connections for new ones")
        func idle() async throws {
            try await withSandbox { sandbox in
                let tally = try await serve(sandbox)
                var open: [any Channel] = []
                // A connection is idle after a second.
                try await eventually("idle ones are closed", every: .milliseconds(300)) {
                    open += try await connect(50, to: tally.port)
                    return try await tally.client.metric("tally_http_idle_connections_closed_total") ?? 0 > 0
                }
                try await tally.client.click(7, times: 5)
                #expect(try await tally.client.total(of: 7) == 5)
                #expect(try openFiles(tally.process.pid) < Self.files)
                for channel in open { channel.close(promise: nil) }
                #expect(try await tally.terminate() == .code(0))
            }
        }

        @Test("refuses connections where none is idle, counts them, and goes on")
        func busy() async throws {
            try await withSandbox { sandbox in
                let tally = try await serve(sandbox)
                try await tally.client.click(7)
                let head = "POST /v1/events HTTP/1.1\r\nHost: tally\r\nContent-Length: 100\r\n\r\n{"
                let open = try await connect(Self.connections, to: tally.port, sending: head)
                let answer = try await RawConnection.with(port: tally.port) { connection in
                    try await connection.send("GET /counter/7 HTTP/1.1\r\nHost: tally\r\n\r\n")
                    return await connection.readUntilClose()
                }
                // Of those that are refused at the same time only some are told so.
                #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 503"), "\(answer)")
                #expect(try openFiles(tally.process.pid) < Self.files)
                for channel in open { channel.close(promise: nil) }
                try await eventually("it takes connections again") { try await tally.client.count(7).status == 204 }
                #expect(try await tally.client.metric("tally_http_connections_refused_total") ?? 0 > 0)
                #expect(try await tally.client.total(of: 7) == 2)
                #expect(try await tally.terminate() == .code(0))
            }
        }

        @Test("SIGHUP does not end it")
        func hangup() async throws {
            try await withSandbox { sandbox in
                let tally = try await sandbox.serve()
                tally.process.signal(SIGHUP)
                try await tally.client.click(7)
                #expect(try await tally.client.total(of: 7) == 1)
                #expect(try await tally.terminate() == .code(0))
            }
        }
    }
}
