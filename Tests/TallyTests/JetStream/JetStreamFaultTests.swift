// SPDX-License-Identifier: Apache-2.0

#if JetStream

import Glibc
import Synchronization
import TallyCore
import Testing

@testable import TallyBackends

@Suite(
    "JetStream's faults, with servers that are killed and stopped",
    .enabled(if: NATSCluster.program != nil, "TALLY_TEST_NATS_SERVER does not name a nats-server"))
struct JetStreamFaultTests {
    private let node = NodeID(process: SampleChunks.node, partition: 0)

    private func chunk(_ sequence: UInt64) -> Chunk { SampleChunks.chunk(sequence, of: node) }

    /// - Returns: `[]` when there is none.
    private func acknowledgement(of chunk: Chunk, in log: any EventLog) async -> [LogOffset] {
        do { return try await log.append([chunk]) } catch { return [] }
    }

    @Test("whichever server dies or hangs, what was acknowledged is there, where it was said to be")
    func serversDieAndHang() async throws {
        let cluster = try NATSCluster()
        let logs = try await cluster.logs()
        let log = logs.log(of: 0)
        var acknowledged: [LogOffset: UInt64] = [:]
        var sequence: UInt64 = 0
        func append(_ count: Int) async {
            for _ in 0..<count {
                sequence += 1
                let offsets = await acknowledgement(of: chunk(sequence), in: log)
                if let offset = offsets.first { acknowledged[offset] = sequence }
            }
        }
        await append(20)
        for victim in 0..<3 {
            try await cluster.kill(victim)
            await append(20)
            try cluster.start(victim)
            await append(20)
        }
        cluster.signal(1, SIGSTOP)
        await append(20)
        cluster.signal(1, SIGCONT)
        await append(20)
        #expect(acknowledged.count > 150, "\(acknowledged.count) of \(sequence) were acknowledged")

        let found = try await log.readAll()
        let byOffset = Dictionary(uniqueKeysWithValues: found.map { ($0.offset, $0.chunk.sequence) })
        for (offset, sequence) in acknowledged { #expect(byOffset[offset] == sequence) }
        #expect(
            Set(found.map(\.chunk.sequence)).count == found.count, "sent again within two minutes, it counts once")
        await logs.close()
    }

    @Test("a reader goes on while servers die")
    func readingAcrossServers() async throws {
        let cluster = try NATSCluster()
        let logs = try await cluster.logs()
        let log = logs.log(of: 0)
        _ = try await log.append((1...300).map { chunk($0) })
        var next = LogOffset(1)
        var found: [UInt64] = []
        func read(upTo count: Int) async throws {
            while found.count < count {
                let entries = try await log.read(from: next, maximumBytes: 300)
                guard let last = entries.last else { break }
                found += entries.map(\.chunk.sequence)
                next = last.offset.next
            }
        }
        for victim in 0..<3 {
            try await read(upTo: 100 * victim + 50)
            try await cluster.kill(victim)
            try await read(upTo: 100 * victim + 100)
            try cluster.start(victim)
        }
        try await read(upTo: 1_000)
        #expect(found == Array(1...300))
        await logs.close()
    }

    @Test("while all servers are away it is refused for certain; then all is as before")
    func allAway() async throws {
        let cluster = try NATSCluster()
        let logs = try await cluster.logs("t", "partitions=2&timeout=1")
        let log = logs.log(of: 1)
        let mine = NodeID(process: SampleChunks.node, partition: 1)
        let before = try await log.append([SampleChunks.chunk(1, of: mine)])
        for node in 0..<3 { try await cluster.kill(node) }
        for _ in 0..<2 { _ = await logError { _ = try await log.append([SampleChunks.chunk(2, of: mine)]) } }
        let refusal = await logError { _ = try await log.append([SampleChunks.chunk(2, of: mine)]) }
        guard case .refused = refusal else {
            Issue.record("\(refusal as Any)")
            return
        }
        let silence = await logError { _ = try await log.end() }
        guard case .unavailable = silence else {
            Issue.record("nobody can know the end: \(silence as Any)")
            return
        }
        for node in 0..<3 { try cluster.start(node) }
        let again = try await cluster.logs("t", "partitions=2")
        #expect(again.log(of: 1).id == log.id, "the streams are the same, and so are their names")
        #expect(again.log(of: 1).id != again.log(of: 0).id)
        let last = try await again.log(of: 1).append([SampleChunks.chunk(3, of: mine)])
        let found = try await again.log(of: 1).readAll()
        #expect(found.map(\.offset) == before + last && found.map(\.chunk.sequence) == [1, 3])
        await logs.close()
        await again.close()
    }

    @Test(
        "what is no chunk is counted, named once, and passed over; another stream of the same name is another log")
    func poisonAndIdentity() async throws {
        let cluster = try NATSCluster()
        let logs = try await cluster.logs()
        let log = logs.log(of: 0)
        let url = try JetStreamURL("nats://\(cluster.servers)/t")
        let library = try LibNATS(url)
        func send(_ id: String, _ bytes: [UInt8]) async {
            _ = await withCheckedContinuation { continuation in
                library.publish([NATSMessage(id: id, bytes: bytes)], to: "t.0", within: 5_000) {
                    continuation.resume(returning: $0)
                }
            }
        }
        await send("a", Array("hello".utf8))
        #expect(try await log.append([chunk(1)]) == [LogOffset(2)])
        await send("b", SampleChunks.chunk(1, of: NodeID(process: node, partition: 1)).encoded())
        for _ in 1...2 {
            #expect(try await log.readAll().map(\.offset) == [LogOffset(2)])
            #expect(try await log.read(from: LogOffset(3), maximumBytes: 10) == [])
        }
        #expect(logs.poisonedMessages == 2)

        #expect(throws: Never.self) { try library.removeStream("t-0") }
        let anew = try await cluster.logs()
        #expect(anew.log(of: 0).id != log.id)
        let damage = await logError { _ = try await log.end() }
        guard case .damaged = damage else {
            Issue.record("the log answers for another: \(damage as Any)")
            return
        }
        library.close()
        await logs.close()
        await anew.close()
    }

    @Test("partitions can grow, and never shrink unseen; a chunk that is too long is refused")
    func shape() async throws {
        let cluster = try NATSCluster()
        let two = try await cluster.logs("t", "partitions=2")
        let looking = await logError {
            _ = try await JetStreamLogs.open(JetStreamURL("nats://\(cluster.servers)/u"), makes: false)
        }
        #expect(looking?.description.contains("there is no stream u-0") == true)
        let grown = try await cluster.logs("t", "partitions=3")
        #expect(grown.partitioning.count == 3 && grown.log(of: 1).id == two.log(of: 1).id)
        #expect(try await cluster.logs("t", "timeout=5").partitioning.count == 3)
        let fewer = await logError {
            _ = try await JetStreamLogs.open(JetStreamURL("nats://\(cluster.servers)/t?partitions=2"))
        }
        #expect(fewer?.description.contains("partitions=3") == true)
        let warnings = await grown.warnings(
            LogNeeds(deduplicationWindow: .seconds(3_600), flushEvery: .seconds(60)))
        #expect(warnings.count == 2 && warnings.contains { $0.contains("max_payload") }, "\(warnings)")
        // The servers take 1 MiB.
        let long = SampleChunks.chunk(1, of: node, entries: 100_000)
        var random = long
        random.deltas = long.deltas.map { delta in
            Delta(
                banner: BannerID(delta.banner.value << 40)!, kind: 0, minute: delta.minute, count: .max)
        }
        let tooLong = await logError { _ = try await grown.log(of: 0).append([random]) }
        guard case .refused(let reason) = tooLong, reason.contains("max_payload is 1048576") else {
            Issue.record("\(tooLong as Any)")
            return
        }
        await two.close()
        await grown.close()
    }
}

#endif
