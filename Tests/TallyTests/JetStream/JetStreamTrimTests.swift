// SPDX-License-Identifier: Apache-2.0

#if JetStream

import TallyCore
import Testing

@testable import TallyBackends

@Suite("A reader of a stream that others trim skips nothing")
struct JetStreamTrimTests {
    private let node = NodeID(process: SampleChunks.node, partition: 0)

    /// So large that a reading takes several fetches.
    private func chunks(_ sequences: ClosedRange<UInt64>) -> [Chunk] {
        sequences.map { SampleChunks.chunk($0, of: node, entries: 4_000) }
    }

    @Test(
        "between any two of its calls to Debian's nats-server",
        .enabled(if: NATSTesting.servers != nil, NATSTesting.missing))
    func trimBetweenCalls() async throws { try await checkAllCalls(NATSTesting.servers) }

    @Test(
        "between any two of its calls to a newer nats-server",
        .enabled(if: NATSTesting.newServers != nil, NATSTesting.newMissing))
    func trimBetweenCallsToNewServer() async throws { try await checkAllCalls(NATSTesting.newServers) }

    @Test(
        "messages that were deleted one by one are passed over",
        .enabled(if: NATSTesting.servers != nil, NATSTesting.missing))
    func deletedMessages() async throws { try await deleteByHand(NATSTesting.servers) }

    @Test(
        "messages that were deleted one by one are passed over by a newer nats-server, too",
        .enabled(if: NATSTesting.newServers != nil, NATSTesting.newMissing))
    func deletedMessagesOfNewServer() async throws { try await deleteByHand(NATSTesting.newServers) }

    private func deleteByHand(_ servers: String?) async throws {
        let name = TestServers.newName()
        let logs = try await JetStreamLogs.open(NATSTesting.url(servers, name))
        let log = logs.log(of: 0)
        _ = try await log.append(SampleChunks.chunks(1...12, of: node))
        let port = try NATSTesting.port(servers)
        try await RawConnection.with(port: port) { connection in
            _ = try await connection.read(until: "\r\n")
            try await connection.send("CONNECT {\"verbose\":false}\r\nSUB answers 1\r\n")
            for sequence in [1, 4, 5, 9] {
                let body = "{\"seq\":\(sequence),\"no_erase\":true}"
                try await connection.send(
                    "PUB $JS.API.STREAM.MSG.DELETE.\(name)-0 answers \(body.utf8.count)\r\n\(body)\r\n")
                let answer = try await connection.read(until: "}\r\n")
                #expect(answer?.contains("\"success\":true") == true, "\(answer ?? "closed")")
            }
        }
        let kept: [UInt64] = [2, 3, 6, 7, 8, 10, 11, 12]
        // The first message is as good as trimmed.
        #expect(await log.reply(from: LogOffset(1), maximumBytes: 1) == .failure(.trimmed(first: LogOffset(2))))
        #expect(try await log.readAll(from: LogOffset(2)).map(\.chunk.sequence) == kept)
        #expect(try await log.readAll(from: LogOffset(4), maximumBytes: 1).map(\.chunk.sequence) == Array(kept[2...]))
        await logs.close()
    }

    /// A reading of 150 chunks makes fewer calls than this; the last ones come from the reader that waits at the end.
    private func checkAllCalls(_ servers: String?) async throws {
        for call in 1...15 { try await outrun(servers, atCall: call) }
    }

    /// Another handle trims and appends while the reader is held up at this call.
    private func outrun(_ servers: String?, atCall call: Int) async throws {
        let port = try NATSTesting.port(servers)
        let relay = try await HoldingRelay.start(to: port)
        let name = TestServers.newName()
        let others = try await JetStreamLogs.open(NATSTesting.url(servers, name))
        let logs = try await JetStreamLogs.open(NATSTesting.url("127.0.0.1:\(relay.port)", name))
        let (log, other) = (logs.log(of: 0), others.log(of: 0))
        var appended = try await other.append(chunks(1...150))
        let first = try await log.read(from: LogOffset(1), maximumBytes: 1)
        let start = try #require(first.last).offset.next

        relay.hold(atCall: call)
        let reading = Task { try await readToEnd(of: log, from: start, upTo: 151) }
        try await eventually("it is held up at call \(call)") { relay.isHolding }
        try await other.trim(before: appended[120])
        appended += try await other.append(chunks(151...151))
        relay.release()

        var position = start
        let replies = try await reading.value
        for reply in replies {
            switch reply {
            case .entries(let offsets):
                #expect(offsets == Array(appended.drop { $0 < position }.prefix(offsets.count)), "held at call \(call)")
                position = offsets[offsets.count - 1].next
            case .trimmed(let first):
                #expect(first == appended[120] && position < first, "held at call \(call)")
                position = first
            }
        }
        #expect(position == appended.last?.next, "held at call \(call)")
        await logs.close()
        await others.close()
        await relay.stop()
    }

    private enum Reply {
        case entries([LogOffset])
        case trimmed(LogOffset)
    }

    private func readToEnd(of log: any EventLog, from start: LogOffset, upTo end: Int64) async throws -> [Reply] {
        var replies: [Reply] = []
        var position = start
        while position <= LogOffset(end) {
            switch await log.reply(from: position, maximumBytes: 100_000) {
            case .success(let entries):
                if let last = entries.last {
                    replies.append(.entries(entries.map(\.offset)))
                    position = last.offset.next
                } else {
                    await (log as? any WaitingLog)?.wait(for: position, within: .milliseconds(200))
                }
            case .failure(.trimmed(let first)):
                replies.append(.trimmed(first))
                position = first
            // A slow server: a consumer asks again, as here.
            case .failure(.unavailable): try await Task.sleep(for: .milliseconds(50))
            case .failure(let error): throw error
            }
        }
        return replies
    }
}

#endif
