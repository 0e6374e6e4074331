// SPDX-License-Identifier: Apache-2.0

#if JetStream

import TallyCore
import Testing

@testable import TallyBackends

@Suite("A reader of a stream whose calls are answered late")
struct JetStreamLateAnswerTests {
    private let node = NodeID(process: SampleChunks.node, partition: 0)

    @Test(
        "reads everything once, in order, from Debian's nats-server",
        .enabled(if: NATSTesting.servers != nil, NATSTesting.missing))
    func debian() async throws { try await check(NATSTesting.servers) }

    @Test(
        "reads everything once, in order, from a newer nats-server",
        .enabled(if: NATSTesting.newServers != nil, NATSTesting.newMissing))
    func newer() async throws { try await check(NATSTesting.newServers) }

    /// The reader asks several times before the first answer comes, so that answers of old pulls wait when it asks again.
    private func check(_ servers: String?) async throws {
        let port = try NATSTesting.port(servers)
        let relay = try await HoldingRelay.start(to: port)
        let name = TestServers.newName()
        let others = try await JetStreamLogs.open(NATSTesting.url("127.0.0.1:\(port)", name))
        let logs = try await JetStreamLogs.open(NATSTesting.url("127.0.0.1:\(relay.port)", name))
        let (log, other) = (logs.log(of: 0), others.log(of: 0))
        let waiting = try #require(log as? any WaitingLog)
        var position = LogOffset(1)
        var appended: UInt64 = 0
        var found: [UInt64] = []
        for _ in 1...8 {
            relay.hold(atCall: 1)
            for _ in 1...4 { await waiting.wait(for: position, within: .milliseconds(20)) }
            // Less than the answers of all these pulls may hold, and more than those of two.
            _ = try await other.append(SampleChunks.chunks(appended + 1...appended + 1_200, of: node))
            appended += 1_200
            relay.release()
            while found.count < Int(appended) {
                switch await log.reply(from: position, maximumBytes: 1 << 22) {
                case .success(let entries):
                    found += entries.map(\.chunk.sequence)
                    position = entries.last?.offset.next ?? position
                // A slow server: a consumer asks again, as here.
                case .failure(.unavailable): try await Task.sleep(for: .milliseconds(50))
                case .failure(let error): throw error
                }
            }
        }
        #expect(found == Array(1...appended))
        await logs.close()
        await others.close()
        await relay.stop()
    }
}

#endif
