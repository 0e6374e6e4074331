// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension RemoteServers {
    /// Kills a server that counts, and stops another for longer than the session timeout of the consumer group: what was
    /// acknowledged is counted once by the others.
    /// - Parameter partitions: of the log, which is empty.
    func checkDeaths(partitions: Int) async throws {
        let ingest = try await start("ingest")
        let first = try await start("aggregate", "--flush-every", "1s")
        let second = try await start("aggregate", "--flush-every", "1s")
        let query = try await startQuery(asking: [first, second])
        try await click(ingest, times: 2)
        try await waitForAll(2, query)

        try await first.kill()
        try await click(ingest, times: 1)
        // An answer is never an error, and says what it may lack.
        let partial = try await query.client.get("/v1/totals")
        #expect(partial.status == 200)
        try await waitForAll(3, query)

        let third = try await start("aggregate", "--flush-every", "1s")
        let both = try await startQuery(asking: [second, third])
        try await eventually("the third has partitions", within: .seconds(60)) {
            try await third.client.metric("tally_partition_assigned") ?? 0 > 0
        }
        try await waitForAll(3, both)
        second.process.signal(SIGSTOP)
        try await click(ingest, times: 1)
        let start = ContinuousClock.now
        let answer = try await both.client.get("/v1/totals")
        #expect(ContinuousClock.now - start < .seconds(10))
        #expect(answer.status == 200)
        // The others wait for it no longer than the group's session.
        try await waitForAll(4, both)
        second.process.signal(SIGCONT)
        try await click(ingest, times: 1)
        try await waitForAll(5, both)
        for server in [ingest, third, second, both, query] {
            #expect(try await server.terminate(within: .seconds(30)) == .code(0))
        }
        let last = try await startQuery(asking: [])
        let stored = try await last.client.get("/v1/totals")
        #expect(try stored.json(RemoteServers.Totals.self).total == 5 * RemoteServers.banners.count)
        // No server counts any more, and the answer says so.
        #expect(stored.header("Tally-Behind") == (0..<partitions).map(String.init).joined(separator: ", "))
    }

    /// A server that has everything of the log to count accepts events at once, and is ready to answer when it has counted it.
    /// - Parameter partitions: of the log, which is empty.
    func checkStart() async throws {
        let ingest = try await start("ingest")
        try await click(ingest, times: 3)
        #expect(try await ingest.terminate(within: .seconds(30)) == .code(0))
        let whole = try await startWithoutWaiting("ingest,aggregate,query")
        // The group takes a moment to share out the partitions.
        let early = try await whole.client.get("/readyz")
        #expect(early.status == 503 && !early.text.isEmpty, "\(early.status) \(early.text)")
        #expect(try await whole.client.get("/readyz?role=query").status == 503)
        #expect(try await whole.client.get("/readyz?role=ingest").text == "ready\n")
        let banner = try #require(Self.banners.first)
        #expect(try await whole.client.count(banner).status == 204)
        try await whole.waitUntilReady()
        let answer = try await whole.client.get("/v1/totals")
        #expect(try answer.json(Totals.self).total >= 3 * Self.banners.count)
        #expect(answer.header("Tally-Behind") == nil)
        #expect(try await whole.client.get("/readyz?role=query").text == "ready\n")
        #expect(try await whole.client.total(of: banner) == 4)
        #expect(try await whole.terminate(within: .seconds(30)) == .code(0))
    }
}
