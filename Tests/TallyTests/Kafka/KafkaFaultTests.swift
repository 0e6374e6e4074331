// SPDX-License-Identifier: Apache-2.0

#if Kafka

import Synchronization
import TallyCore
import Testing

@testable import TallyBackends

@Suite(
    "Kafka's faults, with a mock of its brokers",
    .enabled(if: KafkaMock.program != nil, "TALLY_TEST_KAFKA_MOCK does not name the mock of Kafka"))
struct KafkaFaultTests {
    private let node = NodeID(process: SampleChunks.node, partition: 0)

    private func chunks(_ sequences: ClosedRange<UInt64>) -> [Chunk] { SampleChunks.chunks(sequences, of: node) }

    @Test("a broker that is away refuses for certain, and nothing of it appears later")
    func brokerAway() async throws {
        let mock = try await KafkaMock(partitions: 1)
        try await mock.tell("leader t 0 1")
        let logs = try await mock.logs("t", "message.timeout.ms=1500")
        let log = logs.log(of: 0)
        let first = try await log.append(chunks(1...3))
        try await mock.tell("down 1")
        // The first after the connection broke may have been on its way; the next find none.
        _ = await logError { _ = try await log.append(chunks(4...4)) }
        let error = await logError { _ = try await log.append(chunks(5...5)) }
        guard case .refused = error else {
            Issue.record("\(error as Any)")
            return
        }
        try await mock.tell("leader t 0 2")
        let last = try await log.append(chunks(6...6))
        let found = try await log.readAll()
        #expect(found.map(\.chunk.sequence).filter { $0 != 4 } == [1, 2, 3, 6])
        #expect(found.first?.offset == first[0] && found.last?.offset == last[0])
        await logs.close()
    }

    @Test("an answer that comes too late leaves it open, and the chunk may be there")
    func lateAnswer() async throws {
        let mock = try await KafkaMock(partitions: 1)
        try await mock.tell("leader t 0 1")
        let logs = try await mock.logs("t", "message.timeout.ms=1000&request.timeout.ms=1000")
        let log = logs.log(of: 0)
        _ = try await log.append(chunks(1...1))
        try await mock.tell("lose 1 0 4000")
        let error = await logError { _ = try await log.append(chunks(2...2)) }
        guard case .unavailable = error else {
            Issue.record("\(error as Any)")
            return
        }
        #expect(try await log.readAll().map(\.chunk.sequence).prefix(2) == [1, 2])
        await logs.close()
    }

    @Test("what is sent again may stand in the log twice, under the same name")
    func repeatedDelivery() async throws {
        let mock = try await KafkaMock(partitions: 1)
        try await mock.tell("leader t 0 1")
        let logs = try await mock.logs("t", "socket.timeout.ms=1000&message.timeout.ms=20000")
        let log = logs.log(of: 0)
        try await mock.tell("lose 1 0 4000")
        let offsets = try await log.append(chunks(1...1))
        let found = try await log.readAll()
        #expect(found.map(\.chunk.sequence) == [1, 1])
        #expect(found.map(\.offset).contains(offsets[0]))
        #expect(try await log.end() == found.last?.offset)
        await logs.close()
    }

    @Test("errors that pass are tried again", arguments: [19, 7, 6])
    func passingErrors(error: Int) async throws {
        let mock = try await KafkaMock(partitions: 1)
        let logs = try await mock.logs("t")
        let log = logs.log(of: 0)
        _ = try await log.append(chunks(1...1))
        try await mock.tell("fail 0 \(error) \(error)")
        // One alone: of two the mock takes the second although the first has failed, which no broker does.
        #expect(try await log.append(chunks(2...2)).count == 1)
        #expect(try await log.readAll().map(\.chunk.sequence) == [1, 2])
        await logs.close()
    }

    @Test("a producer that lost its place is replaced, as often as it happens")
    func fatal() async throws {
        let mock = try await KafkaMock(partitions: 1)
        let logs = try await mock.logs("t")
        let log = logs.log(of: 0)
        _ = try await log.append(chunks(1...1))
        for sequence in [2, 3] as [UInt64] {
            try await mock.tell("fail 0 45")
            let error = await logError { _ = try await log.append(chunks(sequence...sequence)) }
            guard case .unavailable(let reason) = error, reason.contains("can't go on") else {
                Issue.record("\(error as Any)")
                continue
            }
            // No producer is replaced sooner than a second after the one before it.
            try await eventually("another producer sends") {
                try await log.append(chunks(sequence * 10...sequence * 10)).count == 1
            }
        }
        #expect(try await log.readAll().map(\.chunk.sequence) == [1, 20, 30])
        await logs.close()
    }

    @Test("reading goes on when leaders move and brokers die")
    func readingAcrossBrokers() async throws {
        let mock = try await KafkaMock(partitions: 2)
        let logs = try await mock.logs("t")
        let (log, reader) = (logs.log(of: 0), logs.log(of: 0))
        var next = LogOffset(1)
        var found: [UInt64] = []
        for round in 0..<6 as Range<UInt64> {
            let broker = round % 3 + 1
            if round > 0 { try await mock.tell("down \(round % 3 == 0 ? 3 : round % 3)") }
            try await mock.tell("up \(broker)")
            try await mock.tell("leader t 0 \(broker)")
            _ = try await log.append(chunks(round * 10 + 1...round * 10 + 10))
            while true {
                let entries = try await reader.read(from: next, maximumBytes: 200)
                guard let last = entries.last else { break }
                found += entries.map(\.chunk.sequence)
                next = last.offset.next
            }
        }
        #expect(found == Array(1...60))
        await logs.close()
    }

    @Test("what is no chunk is counted, named once, and passed over; what a newer tally wrote is not")
    func poison() async throws {
        let mock = try await KafkaMock(partitions: 1)
        let told = Mutex<[String]>([])
        let poisoned = PoisonedMessages { text in told.withLock { $0.append(text) } }
        let logs = try await mock.logs("t", poisoned: poisoned)
        let log = logs.log(of: 0)
        let producer = try KafkaProducer(
            topic: "t", properties: ["bootstrap.servers": mock.servers], problems: KafkaProblems())
        func send(_ key: String, _ value: [UInt8]) async {
            _ = await withCheckedContinuation { continuation in
                producer.send([KafkaMessage(key: Array(key.utf8), value: value)], to: 0) {
                    continuation.resume(returning: $0)
                }
            }
        }
        await send("", Array("hello".utf8))
        let offsets = try await log.append(chunks(1...1))
        await send("x", SampleChunks.chunk(1, of: NodeID(process: node, partition: 1)).encoded())
        await send("", [])
        #expect(offsets == [LogOffset(2)])
        for _ in 1...2 {
            #expect(try await log.readAll().map(\.offset) == [LogOffset(2)])
            #expect(try await log.read(from: LogOffset(3), maximumBytes: 10) == [])
        }
        #expect(try await log.append(chunks(2...2)) == [LogOffset(5)])
        #expect(try await log.read(from: LogOffset(3), maximumBytes: 10).map(\.chunk.sequence) == [2])
        #expect(poisoned.count == 3)
        #expect(told.withLock { $0.count } == 3)

        await send(ChunkMessage.name(of: chunks(3...3)[0]), [4] + chunks(3...3)[0].encoded().dropFirst())
        let damage = await logError { _ = try await log.read(from: LogOffset(6), maximumBytes: 10) }
        guard case .damaged = damage else {
            Issue.record("a newer tally's chunk is passed over: \(damage as Any)")
            return
        }
        producer.close()
        await logs.close()
    }

    @Test("what the topic has dropped is reported, not passed over")
    func trimmed() async throws {
        let mock = try await KafkaMock(partitions: 1)
        let logs = try await mock.logs("t", "compression.type=none")
        let log = logs.log(of: 0)
        // The mock keeps 5 MB.
        let chunk = SampleChunks.chunk(1, of: node, entries: 60_000)
        for sequence in 1...30 as ClosedRange<UInt64> {
            var next = chunk
            next.sequence = sequence
            _ = try await log.append([next])
        }
        let gone = await logError { _ = try await log.read(from: LogOffset(1), maximumBytes: 10) }
        guard case .trimmed(let first) = gone else {
            Issue.record("\(gone as Any)")
            return
        }
        #expect(first > LogOffset(1))
        #expect(try await log.read(from: first, maximumBytes: 10).first?.offset == first)
        await logs.close()
    }

    @Test("a log's name has the cluster, the topic and the partition, and is the same for everyone")
    func identity() async throws {
        let mock = try await KafkaMock(partitions: 3)
        let (one, other) = (try await mock.logs("t"), try await mock.logs("t"))
        #expect(one.partitioning.count == 3)
        #expect(one.log(of: 2).id == other.log(of: 2).id)
        #expect(one.log(of: 2).id.name.hasPrefix("kafka:") && one.log(of: 2).id.name.hasSuffix("/t/2"))
        let another = try await KafkaMock(partitions: 3)
        let elsewhere = try await another.logs("t")
        #expect(elsewhere.log(of: 2).id != one.log(of: 2).id)
        for logs in [one, other, elsewhere] { await logs.close() }
    }

    @Test("another number of partitions than the topic has, and a property that is none, are refused at the start")
    func refusedStart() async throws {
        let mock = try await KafkaMock(partitions: 3)
        for (query, reason) in [
            ("partitions=4", "has 3 partitions"), ("no.such=1", "No such configuration property"),
        ] {
            let refusal = await logError { _ = try await mock.logs("t", query) }
            #expect(refusal?.description.contains(reason) == true, "\(refusal as Any)")
        }
    }
}

#endif
