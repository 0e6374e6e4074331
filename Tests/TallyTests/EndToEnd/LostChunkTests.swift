// SPDX-License-Identifier: Apache-2.0

#if JetStream

import Foundation
import TallyBackends
import Testing

extension EndToEndTests {
    @Suite(
        "A chunk that the brokers have lost", .timeLimit(.minutes(4)),
        .enabled(if: NATSTesting.servers != nil, NATSTesting.missing))
    struct LostChunkTests {
        @Test("is named, holds up the store and nothing else, and is confirmed to be lost beside the running server")
        func namedAndConfirmed() async throws {
            let stream = TestServers.newName()
            let server = try #require(NATSTesting.servers)
            try await withSandbox { sandbox in
                let servers = RemoteServers(
                    sandbox: sandbox, store: "sqlite:\(sandbox.directory.appending("counts.sqlite"))",
                    log: "nats://\(server)/\(stream)?partitions=1")
                let ingest = try await servers.start("ingest")
                // Each is answered before the next is sent, so each is a chunk.
                try await ingest.client.click(1, times: 4)
                try await delete(2, from: "\(stream)-0", server)
                let counting = try await servers.start("aggregate,query", "--flush-every", "1s")
                try await eventually("the chunk is missing") {
                    try await counting.client.metric("tally_log_missing_chunks") == 1
                }
                let readiness = try await counting.client.get("/readyz")
                #expect(readiness.status == 200)
                #expect(readiness.text.contains("the log lacks the chunks"), "\(readiness.text)")
                try await ingest.client.click(1, times: 2)
                try await eventually("what comes is counted") { try await counting.client.total(of: 1) == 5 }
                #expect(try await counting.client.metric("tally_partition_stored") == 0)

                let place = ["--log", servers.log, "--store", servers.store]
                let verified = try await sandbox.run(arguments: ["log", "verify"] + place)
                #expect(verified.exit == .code(1) && verified.output.contains("partition 0 lacks the chunks"))
                let listed = try await sandbox.run(arguments: ["log", "confirm"] + place)
                let chunks = try #require(listed.output.split(separator: "\n").first?.split(separator: " ").last)
                #expect(listed.exit == .code(0) && chunks.hasSuffix(":2"), "\(listed.output) \(listed.errors)")
                #expect(try await counting.client.metric("tally_partition_stored") == 0)

                let confirmed = try await sandbox.run(arguments: ["log", "confirm"] + place + [String(chunks)])
                #expect(confirmed.exit == .code(0), "\(confirmed.errors)")
                try await eventually("all is stored") {
                    try await counting.client.metric("tally_partition_stored") == 6
                }
                #expect(try await !counting.client.get("/readyz").text.contains("lacks"))
                #expect(try await counting.client.metric("tally_log_missing_chunks") == 0)
                #expect(try await counting.client.total(of: 1) == 5)
                #expect(try await sandbox.run(arguments: ["log", "verify"] + place).exit == .code(0))
                for server in [ingest, counting] {
                    #expect(try await server.terminate(within: .seconds(30)) == .code(0))
                }
            }
        }

        /// Deletes a message as an operator of NATS does.
        private func delete(_ sequence: Int, from stream: String, _ server: String) async throws {
            let request = #"{"seq":\#(sequence)}"#
            try await RawConnection.with(port: try NATSTesting.port(server)) { connection in
                try await connection.send(
                    "CONNECT {\"verbose\":false}\r\nSUB answer 1\r\nPUB $JS.API.STREAM.MSG.DELETE.\(stream) answer "
                        + "\(request.utf8.count)\r\n\(request)\r\n")
                let answer = try await connection.read(until: "\"success\":true")
                #expect(answer != nil, "the message was not deleted")
            }
        }
    }
}

#endif
