// SPDX-License-Identifier: Apache-2.0

#if Kafka

import Synchronization
import TallyCore
import Testing

@testable import TallyBackends

@Suite(
    "A consumer group of Kafka shares out the partitions, with a mock of its brokers",
    .enabled(if: KafkaMock.program != nil, "TALLY_TEST_KAFKA_MOCK does not name the mock of Kafka"),
    .timeLimit(.minutes(5)))
struct KafkaGroupTests {
    /// What a group has told so far.
    private final class Member: Sendable {
        let group: any PartitionGroup
        private let told = Mutex<[Set<Int>]>([])
        private let hearing = Mutex<Task<Void, Never>?>(nil)

        init(_ logs: KafkaLogs) async throws {
            group = try await logs.join(nil)
            hearing.withLock { hearing in
                hearing = Task { [self] in
                    for await partitions in group.assignments { told.withLock { $0.append(partitions) } }
                }
            }
        }

        var last: Set<Int>? { told.withLock { $0.last } }
        /// It has heard that the group was left.
        func ended() async { await hearing.withLock { $0 }?.value }
    }

    @Test("one has all, two share, and who leaves gives the other all of them back")
    func sharing() async throws {
        let mock = try await KafkaMock(partitions: 4)
        let logs = try await mock.logs("t")
        let first = try await Member(logs)
        #expect(first.group.problem != nil)
        try await eventually("the first has all") { first.last == [0, 1, 2, 3] }
        #expect(first.group.problem == nil)
        let second = try await Member(logs)
        try await eventually("they share") {
            first.last?.count == 2 && second.last?.count == 2
                && first.last?.union(second.last ?? []) == [0, 1, 2, 3]
        }
        await first.group.leave()
        await first.ended()
        try await eventually("the second has all") { second.last == [0, 1, 2, 3] }
        await second.group.leave()
        await logs.close()
    }

    @Test("what is committed is the offset that is stored, as tools for lag expect it")
    func commits() async throws {
        let mock = try await KafkaMock(partitions: 2)
        let logs = try await mock.logs("t")
        let member = try await Member(logs)
        try await eventually("it has all") { member.last == [0, 1] }
        let node = NodeID(process: SampleChunks.node, partition: 1)
        let offsets = try await logs.log(of: 1).append(SampleChunks.chunks(1...3, of: node))
        member.group.commit(offsets[2], of: 1)
        let watcher = try KafkaMembership(
            topic: "t", group: "tally-t", properties: ["bootstrap.servers": mock.servers], problems: KafkaProblems())
        try await eventually("the commit is seen") { watcher.committed(1, within: 1_000) == 3 }
        #expect(watcher.committed(0, within: 1_000) == nil)
        watcher.leave()
        await member.group.leave()
        await logs.close()
    }

    @Test("partitions that are given are not shared out")
    func given() async throws {
        let mock = try await KafkaMock(partitions: 4)
        let logs = try await mock.logs("t")
        let group = try await logs.join([1, 3])
        var assignments = group.assignments.makeAsyncIterator()
        #expect(await assignments.next() == [1, 3])
        await group.leave()
        #expect(await assignments.next() == nil)
        await logs.close()
    }

    @Test("a reader at the end waits until more comes, and no longer")
    func waiting() async throws {
        let mock = try await KafkaMock(partitions: 1)
        let logs = try await mock.logs("t")
        try await WaitingLogCheck(logs.log(of: 0)).run()
        await logs.close()
    }

    @Test("a reader that waits while its broker goes away reads on when another has the partition")
    func waitingForAnotherBroker() async throws {
        let mock = try await KafkaMock(partitions: 1)
        try await mock.tell("leader t 0 1")
        let logs = try await mock.logs("t")
        let log = logs.log(of: 0)
        let waiting = try #require(log as? any WaitingLog)
        let node = NodeID(process: SampleChunks.node, partition: 0)
        _ = try await log.append(SampleChunks.chunks(1...1, of: node))
        #expect(try await log.readAll().count == 1)
        try await mock.tell("down 1")
        await waiting.wait(for: LogOffset(2), within: .milliseconds(300))
        try await mock.tell("leader t 0 2")
        try await eventually("the other broker takes a chunk") {
            await logError { _ = try await log.append(SampleChunks.chunks(2...2, of: node)) } == nil
        }
        try await eventually("it is read") {
            await waiting.wait(for: LogOffset(2), within: .milliseconds(300))
            return try await log.read(from: LogOffset(2), maximumBytes: 100).map(\.chunk.sequence) == [2]
        }
        await logs.close()
    }
}

#endif
