// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TallyCore

@Suite("What a server's chunk asserts of the chunks before it")
struct UnsettledTests {
    private typealias Commits = GroupCommit<String>

    private static let time = Timestamp(milliseconds: 60_000 * 100)
    private static let log = LogID("brokers/0")!
    private static let process = NodeID(bits: 0xABCD_0000)

    private func events(_ banner: Int64 = 1) -> [CountedEvent] {
        [CountedEvent(banner: BannerID(banner)!, kind: .click, minute: Minute(sinceEpoch: 100)!, count: 1)]
    }

    private func commits(lastSequence: UInt64 = 0, unsettled: SequenceRanges = SequenceRanges()) -> Commits {
        Commits(
            node: SampleChunks.node, lastSequence: lastSequence, unsettled: unsettled, logTime: .epoch, late: 1_000)
    }

    /// What the only chunk of the next commit declares.
    private func declared(_ commits: inout Commits) throws -> SequenceRanges? {
        _ = commits.add(events(), waiter: "a")
        let commit = commits.begin(at: Self.time)
        return try #require(commit?.chunks.first).unsettled
    }

    @Test("chunks that the log has are settled: nothing is declared")
    func settled() throws {
        var commits = commits()
        for _ in 0..<3 {
            #expect(try declared(&commits) == SequenceRanges())
            _ = commits.finish(.success([LogOffset(1)])) { _ in }
        }
    }

    @Test("what was given up is declared from then on; what was refused is another chunk's number")
    func givenUp() throws {
        var commits = commits()
        _ = try declared(&commits)
        _ = commits.finish(.failure(.unavailable("no answer"))) { _ in }
        #expect(try declared(&commits) == SequenceRanges(1...1))
        _ = commits.finish(.failure(.refused("full"))) { _ in }
        #expect(try declared(&commits) == SequenceRanges(1...1))
        _ = commits.finish(.success([LogOffset(1)])) { _ in }
        #expect(try declared(&commits) == SequenceRanges(1...1))
    }

    @Test("the lower sequences of the same commit are declared, and the commit behind asserts them all")
    func sameCommit() throws {
        var commits = commits()
        for number in 0..<3 {
            var lane = Lane(number: number, kinds: [.click])
            lane.begin(Minute(sinceEpoch: 100)!)
            lane.letIn(banner: BannerID(1)!, kind: 0)
            _ = lane.add(banner: BannerID(1)!, kind: 0)
            _ = commits.add(lane.take(), waiter: "lane \(number)")
        }
        let commit = commits.begin(at: Self.time)
        let chunks = try #require(commit?.chunks)
        #expect(chunks.map(\.sequence) == [1, 2, 3])
        #expect(chunks.map(\.unsettled) == [SequenceRanges(), SequenceRanges(1...1), SequenceRanges(1...2)])
        _ = commits.finish(.success((1...3).map { LogOffset($0) })) { _ in }
        #expect(try declared(&commits) == SequenceRanges())
    }

    @Test("a server that starts declares what its journal lacks")
    func restart() throws {
        var aggregator = Aggregator(layout: .minute, checkpoint: .start)
        for (offset, sequence) in [1, 2, 5, 6].enumerated() {
            let entry = LogEntry(offset: LogOffset(Int64(offset) + 1), chunk: SampleChunks.chunk(UInt64(sequence)))
            _ = aggregator.apply(entry)
        }
        var commits = Commits(node: SampleChunks.node, lastSequence: 8, after: aggregator, late: 1_000_000_000)
        _ = commits.add(events(), waiter: "a")
        let commit = commits.begin(at: Self.time)
        #expect(commit?.chunks.first?.sequence == 9)
        #expect(commit?.chunks.first?.unsettled == SequenceRanges([3...4, 7...8])!)
    }

    @Test("a client's chunk asserts nothing, whatever it claims")
    func foreign() throws {
        var commits = commits()
        var chunk = SampleChunks.chunk(70, of: SampleChunks.other)
        chunk.unsettled = SequenceRanges()
        _ = commits.add(chunk, waiter: "import")
        let commit = commits.begin(at: Self.time)
        let committed = try #require(commit?.chunks.first)
        #expect(committed.sequence == 70)
        #expect(committed.unsettled == nil)

        var partitioned = try partitionedCommits()
        guard case .accepted(let partitions) = partitioned.add(chunk, waiter: "import") else {
            Issue.record("the chunk is refused")
            return
        }
        for partition in partitions {
            let chunks = partitioned.begin(partition, at: Self.time)
            #expect(chunks?.map(\.unsettled) == [nil])
        }
    }

    @Test("more ranges than a chunk holds are declared as fewer, wider ones")
    func manyRanges() throws {
        let many = try #require(SequenceRanges((1...100 as ClosedRange<UInt64>).map { $0 * 10...$0 * 10 }))
        var commits = commits(lastSequence: 1_000, unsettled: many)
        let declared = try #require(try declared(&commits))
        #expect(declared.ranges.count == Limits.unsettledRanges)
        var lacking = many
        lacking.subtract(declared)
        #expect(lacking.isEmpty)
    }

    // MARK: Spools

    private func partitionedCommits() throws -> PartitionedCommit<String> {
        let partitioning = try #require(Partitioning(count: 2))
        return PartitionedCommit(process: Self.process, partitioning: partitioning, late: 1_000_000)
    }

    private func begun(_ commits: inout PartitionedCommit<String>, _ partition: Int) throws -> Chunk {
        _ = commits.add(events(1), waiter: "a")
        let chunks = commits.begin(partition, at: Self.time)
        return try #require(chunks?.first)
    }

    @Test("what is in the spool is declared until the log has it")
    func spooled() throws {
        var commits = try partitionedCommits()
        let partition = commits.partitioning.partition(of: BannerID(1)!)
        let first = try begun(&commits, partition)
        _ = commits.finish(partition, .success([LogOffset(1)]), in: Self.log, durability: .disk)
        let second = try begun(&commits, partition)
        #expect(second.unsettled == SequenceRanges(1...1))
        _ = commits.finish(partition, .success([LogOffset(1)]), in: Self.log, durability: .quorum)
        commits.didForward([first])
        #expect(try begun(&commits, partition).unsettled == SequenceRanges())
    }

    @Test("the forwarder may be faster than the answer of the spool, and forwards chunks of other processes")
    func fastForwarder() throws {
        var commits = try partitionedCommits()
        let partition = commits.partitioning.partition(of: BannerID(1)!)
        let first = try begun(&commits, partition)
        commits.didForward([first])
        _ = commits.finish(partition, .success([LogOffset(1)]), in: Self.log, durability: .disk)
        let second = try begun(&commits, partition)
        #expect(second.unsettled == SequenceRanges())
        _ = commits.finish(partition, .success([LogOffset(2)]), in: Self.log, durability: .disk)
        let others = (0..<3).map { SampleChunks.chunk(2, of: NodeID(process: SampleChunks.other, partition: $0)) }
        commits.didForward(others)
        #expect(try begun(&commits, partition).unsettled == SequenceRanges(2...2))
    }
}
