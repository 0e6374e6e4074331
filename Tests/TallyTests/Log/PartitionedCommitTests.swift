// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TallyCore

@Suite("Commits to a log of several partitions")
struct PartitionedCommitTests {
    private static let time = Timestamp(milliseconds: 60_000 * 100)
    private static let log = LogID("brokers/0")!
    private static let process = NodeID(bits: 0xABCD_0000_1234)

    private func commits(partitions: Int = 4) throws -> PartitionedCommit<String> {
        let partitioning = try #require(Partitioning(count: partitions))
        return PartitionedCommit(process: Self.process, partitioning: partitioning, late: 10)
    }

    private func event(_ banner: Int64, minute: Int64 = 100) -> CountedEvent {
        CountedEvent(banner: BannerID(banner)!, kind: .click, minute: Minute(sinceEpoch: minute)!, count: 1)
    }

    @Test("the partition of a banner never changes: these numbers lie in logs that exist")
    func stablePartitions() throws {
        let partitioning = try #require(Partitioning(count: 12))
        let partitions = [1, 2, 3, 42, 1_000_000, Int64.max].map { partitioning.partition(of: BannerID($0)!) }
        #expect(partitions == [1, 10, 8, 2, 2, 1])
    }

    @Test("ids that follow each other spread evenly")
    func evenSpread() throws {
        let partitioning = try #require(Partitioning(count: 8))
        var counts = [Int](repeating: 0, count: 8)
        for banner in 1...8_000 as ClosedRange<Int64> { counts[partitioning.partition(of: BannerID(banner)!)] += 1 }
        // Four standard deviations of a fair spread: 4 × √(8000 × 1/8 × 7/8).
        #expect(counts.allSatisfy { abs($0 - 1_000) < 119 }, "\(counts)")
    }

    @Test("how many partitions there may be")
    func partitionLimits() {
        #expect(Partitioning(count: 0) == nil)
        #expect(Partitioning(count: Limits.partitions) != nil)
        #expect(Partitioning(count: Limits.partitions + 1) == nil)
    }

    @Test("each chunk is of a node that tells its partition, with sequences of its own")
    func nodes() throws {
        var commits = try commits()
        let events = (1...20).map { event($0) }
        let admission = commits.add(events, waiter: "a")
        #expect(admission == .accepted(begin: [0, 1, 2, 3]))
        for partition in 0..<4 {
            let chunks = commits.begin(partition, at: Self.time)
            let chunk = try #require(chunks?.first)
            #expect(chunk.node.partition == partition)
            #expect(chunk.sequence == 1)
            #expect(chunk.deltas.allSatisfy { commits.partitioning.partition(of: $0.banner) == partition })
        }
    }

    @Test("a request is answered when all its partitions have it, with a receipt of each")
    func answersAtTheEnd() throws {
        var commits = try commits()
        let (first, second) = (event(1), event(2))
        let partitions = [first, second].map { commits.partitioning.partition(of: $0.banner) }
        #expect(partitions[0] != partitions[1])
        _ = commits.add([first, second], waiter: "both")
        for partition in partitions { _ = commits.begin(partition, at: Self.time) }
        let early = commits.finish(partitions[0], .success([LogOffset(7)]), in: Self.log, durability: .quorum)
        #expect(early.isEmpty)
        let late = commits.finish(partitions[1], .success([LogOffset(3)]), in: Self.log, durability: .disk)
        #expect(late.map(\.waiter) == ["both"])
        let receipts = try late[0].result.get()
        #expect(receipts.map(\.offset) == [LogOffset(7), LogOffset(3)])
        #expect(receipts.map(\.durability) == [.quorum, .disk])
        #expect(commits.isIdle)
    }

    @Test("when one partition fails the request has failed, whatever the others say")
    func failure() throws {
        var commits = try commits()
        let partitions = [1, 2].map { commits.partitioning.partition(of: BannerID($0)!) }
        _ = commits.add([event(1), event(2)], waiter: "both")
        for partition in partitions { _ = commits.begin(partition, at: Self.time) }
        _ = commits.finish(partitions[0], .failure(.unavailable("away")), in: Self.log, durability: .quorum)
        let answers = commits.finish(partitions[1], .success([LogOffset(1)]), in: Self.log, durability: .quorum)
        #expect(throws: LogError.unavailable("away")) { try answers.first?.result.get() }
    }

    @Test("a request that one partition would refuse is in none")
    func allOrNone() throws {
        var commits = try commits()
        _ = commits.add([event(1)], waiter: "a")
        let partition = commits.partitioning.partition(of: BannerID(1)!)
        _ = commits.begin(partition, at: Self.time)
        _ = commits.finish(partition, .success([LogOffset(1)]), in: Self.log, durability: .quorum)
        let refused = commits.add([event(2), event(1, minute: 50)], waiter: "late")
        #expect(refused == .refused(.stale))
        #expect(commits.isIdle)
    }
}
