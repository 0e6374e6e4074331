// SPDX-License-Identifier: Apache-2.0

import TallySimulator
import Testing

@testable import TallyCore

@Suite("Turns of event loops become durable together")
struct GroupCommitLaneTests {
    private func commits(late: Int64 = 10, limit: Int = 2_000_000) -> GroupCommit<String> {
        GroupCommit(
            node: SampleChunks.node, lastSequence: 0, logTime: time(minute: 100), late: late, pendingEntriesLimit: limit
        )
    }

    private func time(minute: Int64) -> Timestamp { Timestamp(milliseconds: minute * 60_000) }

    private func turn(
        _ banners: ClosedRange<Int64>, lane number: Int = 0, minute: Int64 = 100, count: UInt32 = 1
    ) -> LaneSums {
        var lane = Lane(number: number, kinds: [.click, .impression])
        lane.begin(Minute(sinceEpoch: minute)!)
        for banner in banners.compactMap({ BannerID($0) }) {
            lane.letIn(banner: banner, kind: 0)
            _ = lane.add(count, banner: banner, kind: 0)
        }
        return lane.take()
    }

    @Test func `the turns of a lane share a chunk, and each is answered`() throws {
        var commits = commits()
        #expect(commits.add(turn(1...2), waiter: "a") == .accepted(begins: true))
        #expect(commits.add(turn(2...3, count: 4), waiter: "b") == .accepted(begins: true))
        #expect(commits.add(turn(1...1, lane: 1), waiter: "c") == .accepted(begins: true))
        #expect(commits.pendingEntries == 5)
        let begun = commits.begin(at: time(minute: 100))
        let chunks = try #require(begun).chunks
        #expect(chunks.map(\.sequence) == [1, 2])
        #expect(chunks.map { $0.deltas.map(\.count) } == [[1, 5, 4], [1]])
        #expect(commits.add(turn(1...1), waiter: "next") == .accepted(begins: false))
        let answers = commits.finish(.success([LogOffset(7), LogOffset(8)])) { _ in }
        #expect(answers.map(\.waiter) == ["a", "b", "c"])
        #expect(answers.allSatisfy { (try? $0.result.get()) == LogOffset(8) })
        let next = commits.begin(at: time(minute: 100))
        #expect(next?.chunks.map(\.sequence) == [3])
    }

    @Test func `turns and requests of a commit are chunks of their own, without gaps between their numbers`() throws {
        var commits = commits()
        let event = CountedEvent(banner: BannerID(1)!, kind: .click, minute: Minute(sinceEpoch: 100)!, count: 1)
        _ = commits.add([event], waiter: "request")
        _ = commits.add(turn(1...1), waiter: "turn")
        let begun = commits.begin(at: time(minute: 100))
        #expect(begun?.chunks.map(\.sequence) == [1, 2])
        _ = commits.finish(.failure(.refused("full"))) { _ in }
        _ = commits.add(turn(1...1), waiter: "again")
        let again = commits.begin(at: time(minute: 100))
        #expect(again?.chunks.map(\.sequence) == [1])
    }

    @Test func `what doesn't fit one chunk is two`() throws {
        var commits = commits()
        let most = Int64(Limits.chunkEntries)
        _ = commits.add(turn(1...most - 1), waiter: "many")
        _ = commits.add(turn(1...2), waiter: "two more")
        let begun = commits.begin(at: time(minute: 100))
        #expect(begun?.chunks.map(\.deltas.count) == [Limits.chunkEntries - 1, 2])
    }

    @Test func `a turn of a minute that has become final is refused as a whole`() {
        var commits = commits()
        #expect(commits.add(turn(1...2, minute: 89), waiter: "late") == .refused(.stale))
        #expect(commits.add(turn(1...2, minute: 90), waiter: "just in time") == .accepted(begins: true))
    }

    @Test func `a commit's time makes the minute of no turn final`() {
        var commits = commits()
        _ = commits.add(turn(1...1, minute: 95), waiter: "a")
        _ = commits.add(turn(1...1, minute: 91), waiter: "b")
        let begun = commits.begin(at: time(minute: 105))
        #expect(begun?.chunks.map(\.time) == [Timestamp(milliseconds: 102 * 60_000 - 1)])
    }

    @Test func `nor that of one that waits behind it`() {
        var commits = commits()
        _ = commits.add(turn(1...Int64(Limits.chunkEntries)), waiter: "fills a commit")
        _ = commits.add(turn(1...1, minute: 91), waiter: "waits")
        let begun = commits.begin(at: time(minute: 105))
        #expect(begun?.chunks.map(\.time) == [Timestamp(milliseconds: 102 * 60_000 - 1)])
    }

    @Test func `a turn is refused as a request is`() {
        var commits = commits(limit: 3)
        #expect(commits.add(turn(1...4), waiter: "too many") == .refused(.overloaded))
        _ = commits.add(turn(1...1), waiter: "a")
        _ = commits.begin(at: time(minute: 100))
        _ = commits.add(turn(1...1), waiter: "b")
        let answers = commits.finish(.failure(.failed("broken"))) { _ in }
        #expect(answers.map(\.waiter) == ["a", "b"])
        #expect(commits.add(turn(1...1), waiter: "c") == .refused(.failed("broken")))
        var closed = self.commits()
        closed.close()
        #expect(closed.add(turn(1...1), waiter: "d") == .refused(.closed))
    }
}
