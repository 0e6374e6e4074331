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

    @Test("a request that is in one partition, and was refused in another, is not refused")
    func halfRefused() throws {
        var commits = try commits()
        let partitions = [1, 2].map { commits.partitioning.partition(of: BannerID($0)!) }
        for isRefused in [[true, false], [true, true]] {
            _ = commits.add([event(1), event(2)], waiter: "both")
            for partition in partitions { _ = commits.begin(partition, at: Self.time) }
            var answers: [PartitionedCommit<String>.Answer] = []
            for (partition, isRefused) in zip(partitions, isRefused) {
                answers += commits.finish(
                    partition, isRefused ? .failure(.refused("full")) : .success([LogOffset(1)]), in: Self.log,
                    durability: .quorum)
            }
            let expected: LogError = isRefused[1] ? .refused("full") : .unavailable("full")
            #expect(throws: expected) { try answers.first?.result.get() }
        }
    }

    @Test("the sums of a lane are split by partition, and answered together with what became of each")
    func lanes() throws {
        var commits = try commits()
        var lane = Lane(number: 0, kinds: [.click, .impression])
        lane.begin(Minute(sinceEpoch: 100)!)
        for banner in 1...20 as ClosedRange<Int64> {
            lane.letIn(banner: BannerID(banner)!, kind: UInt8(banner % 2))
            let isAdded = lane.add(UInt32(banner), banner: BannerID(banner)!, kind: UInt8(banner % 2))
            #expect(isAdded)
        }
        let admission = commits.add(lane.take(), waiter: "turn")
        #expect(admission == .accepted(begin: [0, 1, 2, 3]))
        var sums: [Int64: Int64] = [:]
        var answers: [PartitionedCommit<String>.Answer] = []
        for partition in 0..<4 {
            let begun = commits.begin(partition, at: Self.time)
            let chunks = try #require(begun)
            #expect(chunks.count == 1)
            #expect(try Chunk(decoding: chunks[0].encoded()[...]) == chunks[0], "it is a chunk in order")
            for delta in chunks[0].deltas {
                #expect(commits.partitioning.partition(of: delta.banner) == partition)
                sums[delta.banner.value] = delta.count
            }
            let isAway = partition == 2
            answers += commits.finish(
                partition, isAway ? .failure(.unavailable("away")) : .success([LogOffset(9)]), in: Self.log,
                durability: .quorum)
        }
        #expect(sums == Dictionary(uniqueKeysWithValues: (1...20).map { ($0, $0) }))
        #expect(answers.map(\.waiter) == ["turn"])
        #expect(answers.first?.parts.map(\.partition) == [0, 1, 2, 3])
        #expect(answers.first?.parts.map { (try? $0.result.get()) != nil } == [true, true, false, true])
    }

    @Test("a chunk of another node is split into chunks of nodes of its own, and nothing of it is lost")
    func foreignChunks() throws {
        var commits = try commits()
        var builder = ChunkBuilder()
        for banner in 1...20 as ClosedRange<Int64> {
            let event = CountedEvent(
                banner: BannerID(banner)!, kind: banner < 3 ? .impression : .click, minute: Minute(sinceEpoch: 90)!,
                count: banner, id: banner == 7 ? EventID("x", banner: BannerID(banner)!, kind: .click) : nil)
            let fits = builder.add(event)
            #expect(fits)
        }
        let importer = NodeID(bits: 0xF00D_0000_0000_1234)
        let original = builder.chunk(node: importer, sequence: 5, time: .epoch)
        let admission = commits.add(original, waiter: "import")
        #expect(admission == .accepted(begin: [0, 1, 2, 3]))
        var counts: [Int64] = []
        for partition in 0..<4 {
            let begun = commits.begin(partition, at: Self.time)
            let chunk = try #require(begun?.first)
            #expect(chunk.node == NodeID(process: importer, partition: partition))
            #expect(chunk.sequence == 5)
            #expect(try Chunk(decoding: chunk.encoded()[...]) == chunk, "it is a chunk in order")
            for delta in chunk.deltas + chunk.identified.map(\.delta) {
                #expect(commits.partitioning.partition(of: delta.banner) == partition)
                #expect(chunk.kinds[Int(delta.kind)] == (delta.banner.value < 3 ? .impression : .click))
                counts.append(delta.count)
            }
            #expect(Set(chunk.deltas.map(\.kind)).union(chunk.identified.map(\.delta.kind)).count == chunk.kinds.count)
        }
        #expect(counts.sorted() == Array(1...20))
    }

    @Test("what lies further back than counts are kept is refused")
    func floor() throws {
        let partitioning = try #require(Partitioning(count: 2))
        var commits = PartitionedCommit<String>(
            process: Self.process, partitioning: partitioning, late: 10, floor: 30)
        _ = commits.add([event(1)], waiter: "a")
        let partition = partitioning.partition(of: BannerID(1)!)
        _ = commits.begin(partition, at: Self.time)
        _ = commits.finish(partition, .success([LogOffset(1)]), in: Self.log, durability: .quorum)
        let refused = commits.add([event(1, minute: 69)], backfill: true, waiter: "b")
        #expect(refused == .refused(.stale))
        let accepted = commits.add([event(1, minute: 70)], backfill: true, waiter: "c")
        #expect(accepted == .accepted(begin: [partition]))
    }

    @Test("when it is closed nothing more is accepted, and what was is committed")
    func closed() throws {
        var commits = try commits()
        _ = commits.add([event(1)], waiter: "a")
        commits.close()
        let refused = commits.add([event(2)], waiter: "b")
        #expect(refused == .refused(.closed))
        let begun = commits.begin(commits.partitioning.partition(of: BannerID(1)!), at: Self.time)
        #expect(begun?.count == 1)
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
