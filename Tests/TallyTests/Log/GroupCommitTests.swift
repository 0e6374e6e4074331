// SPDX-License-Identifier: Apache-2.0

import TallySimulator
import Testing

@testable import TallyCore

@Suite("What becomes durable together")
struct GroupCommitTests {
    private typealias Commits = GroupCommit<String>

    private static let time = Timestamp(milliseconds: 1000)
    private let minute = Minute.first.advanced(by: 10)

    private func commits(lastSequence: UInt64 = 0, limit: Int = 2_000_000) -> Commits {
        Commits(
            node: SampleChunks.node, lastSequence: lastSequence, logTime: .epoch, late: 0, pendingEntriesLimit: limit)
    }

    private func events(_ banners: ClosedRange<Int64>, count: Int64 = 1, id: EventID? = nil) -> [CountedEvent] {
        banners.map {
            CountedEvent(banner: BannerID($0)!, kind: .click, minute: minute, count: count, id: id)
        }
    }

    /// Begins the commit that must be there to begin.
    private func begun(_ commits: inout Commits) throws -> Commits.Commit {
        let commit = commits.begin(at: Self.time)
        return try #require(commit)
    }

    /// Who was answered, with what.
    private func texts(_ answers: [Commits.Answer]) -> [String] {
        answers.map { answer in
            switch answer.result {
            case .success(let offset): "\(answer.waiter): \(offset)"
            case .failure(let error): "\(answer.waiter): \(error)"
            }
        }
    }

    @Test("the first event begins a commit, and those that come meanwhile are the next")
    func nextCommit() throws {
        var commits = commits()
        #expect(commits.isIdle)
        #expect(commits.add(events(1...1), waiter: "a") == .accepted(begins: true))
        let first = try begun(&commits)
        #expect(!commits.isIdle)
        #expect(first.chunks.map(\.sequence) == [1])
        #expect(commits.add(events(1...2), waiter: "b") == .accepted(begins: false))
        #expect(commits.add(events(1...1), waiter: "c") == .accepted(begins: false))
        #expect(commits.begin(at: Self.time) == nil)
        #expect(texts(commits.finish(.success([LogOffset(7)])) { _ in }) == ["a: 7"])
        #expect(!commits.isIdle)

        let second = try begun(&commits)
        #expect(second.chunks.count == 1)
        #expect(second.chunks[0].sequence == 2)
        #expect(second.chunks[0].node == SampleChunks.node)
        #expect(second.chunks[0].time == Self.time)
        #expect(second.chunks[0].deltas.map(\.count) == [2, 1])
        #expect(texts(commits.finish(.success([LogOffset(8)])) { _ in }) == ["b: 8", "c: 8"])
        #expect(commits.isIdle)
        #expect(commits.begin(at: Self.time) == nil)
    }

    @Test("sequences go on behind the last one in the log")
    func sequences() throws {
        var commits = commits(lastSequence: 41)
        _ = commits.add(events(1...1), waiter: "a")
        let sequences = try begun(&commits).chunks.map(\.sequence)
        #expect(sequences == [42])
    }

    @Test("a probe commits an empty chunk, and only when nothing else is committed")
    func probe() throws {
        var commits = commits()
        let begins = commits.probe()
        #expect(begins)
        let again = commits.probe()
        #expect(!again, "one waits already")
        let probe = try begun(&commits)
        #expect(probe.chunks.map(\.entryCount) == [0])
        #expect(probe.chunks.map(\.sequence) == [1])
        let meanwhile = commits.probe()
        #expect(!meanwhile)
        #expect(texts(commits.finish(.failure(.refused("full"))) { _ in }).isEmpty)
        _ = commits.add(events(1...1), waiter: "a")
        let beside = commits.probe()
        #expect(!beside)
        #expect(try begun(&commits).chunks.map(\.sequence) == [1])
        _ = commits.finish(.failure(.failed("broken"))) { _ in }
        let late = commits.probe()
        #expect(!late)
    }

    @Test("after a refusal the numbers are free again, and nothing else is lost")
    func refused() throws {
        var commits = commits()
        _ = commits.add(events(1...1), waiter: "a")
        _ = commits.begin(at: Self.time)
        _ = commits.add(events(2...2), waiter: "b")
        #expect(texts(commits.finish(.failure(.refused("full"))) { _ in }) == ["a: full"])
        let next = try begun(&commits)
        #expect(next.chunks.map(\.sequence) == [1])
        #expect(next.chunks[0].deltas.map(\.banner.value) == [2])
        #expect(texts(commits.finish(.success([LogOffset(1)])) { _ in }) == ["b: 1"])
    }

    @Test("after an unknown outcome the numbers are never used again")
    func unavailable() throws {
        var commits = commits()
        _ = commits.add(events(1...1), waiter: "a")
        _ = commits.begin(at: Self.time)
        #expect(texts(commits.finish(.failure(.unavailable("away"))) { _ in }) == ["a: away"])
        #expect(commits.add(events(1...1), waiter: "b") == .accepted(begins: true))
        let sequences = try begun(&commits).chunks.map(\.sequence)
        #expect(sequences == [2])
    }

    @Test("after a failure everyone is told, and nothing is accepted any more")
    func failed() {
        var commits = commits()
        _ = commits.add(events(1...1), waiter: "a")
        _ = commits.begin(at: Self.time)
        _ = commits.add(events(1...1), waiter: "b")
        _ = commits.add(SampleChunks.chunk(3, of: SampleChunks.other), waiter: "c")
        #expect(texts(commits.finish(.failure(.failed("broken"))) { _ in }) == ["a: broken", "b: broken", "c: broken"])
        #expect(commits.add(events(1...1), waiter: "d") == .refused(.failed("broken")))
        #expect(commits.add(SampleChunks.chunk(3), waiter: "e") == .refused(.failed("broken")))
        #expect(commits.begin(at: Self.time) == nil)
        #expect(commits.isIdle)
        #expect(commits.pendingEntries == 0)
    }

    @Test("when closed, what was accepted is still committed")
    func closed() throws {
        var commits = commits()
        _ = commits.add(events(1...1), waiter: "a")
        commits.close()
        #expect(commits.add(events(1...1), waiter: "b") == .refused(.closed))
        #expect(!commits.isIdle)
        #expect(commits.begin(at: Self.time) != nil)
        #expect(texts(commits.finish(.success([LogOffset(1)])) { _ in }) == ["a: 1"])
        #expect(commits.isIdle)
    }

    @Test("beyond the limit a request is refused as a whole")
    func overloaded() throws {
        var commits = commits(limit: 5)
        #expect(commits.add(events(1...4), waiter: "a") == .accepted(begins: true))
        #expect(commits.pendingEntries == 4)
        #expect(commits.add(events(5...6), waiter: "b") == .refused(.overloaded))
        #expect(commits.pendingEntries == 4)
        #expect(commits.add(events(5...5), waiter: "c") == .accepted(begins: true))
        _ = commits.begin(at: Self.time)
        #expect(commits.pendingEntries == 0)
        #expect(commits.add(events(1...5), waiter: "d") == .accepted(begins: false))
        #expect(texts(commits.finish(.success([LogOffset(1)])) { _ in }) == ["a: 1", "c: 1"])
    }

    @Test("a chunk of another node keeps its node and sequence, and gets the time of the commit")
    func foreignChunks() throws {
        var commits = commits()
        let foreign = SampleChunks.chunk(900, of: SampleChunks.other)
        #expect(commits.add(foreign, waiter: "a") == .accepted(begins: true))
        _ = commits.add(events(1...1), waiter: "b")
        let commit = try begun(&commits)
        var expected = foreign
        expected.time = Self.time
        #expect(commit.chunks.count == 2)
        #expect(commit.chunks[0] == expected)
        #expect(commit.chunks[1].sequence == 1)
        #expect(texts(commits.finish(.success([LogOffset(4), LogOffset(5)])) { _ in }) == ["a: 5", "b: 5"])
    }

    @Test("a request that fills more than a chunk is in one commit")
    func largeRequest() throws {
        var commits = commits()
        _ = commits.add(events(1...10), waiter: "a")
        _ = commits.add(events(11...Int64(Limits.chunkEntries) + 20), waiter: "b")
        _ = commits.add(events(1...1), waiter: "c")
        let commit = try begun(&commits)
        #expect(commit.chunks.map(\.sequence) == [1, 2])
        #expect(commit.chunks.map(\.entryCount) == [Limits.chunkEntries, 20])
        #expect(texts(commits.finish(.success([LogOffset(1), LogOffset(2)])) { _ in }) == ["a: 2", "b: 2"])
        let next = try begun(&commits)
        #expect(next.chunks.map(\.sequence) == [3])
    }

    @Test(
        "a request's chunks are those of its events, whatever else is added", arguments: 1...30 as ClosedRange<UInt64>)
    func everyEventOnce(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var commits = commits()
        var sent: [String: Int64] = [:]
        var committed: [String: Int64] = [:]
        var outcomes: [String: Bool] = [:]
        var offset: Int64 = 0
        var chunksOnTheWay: [Chunk] = []
        var contents: [String: [CountedEvent]] = [:]
        for step in 0..<200 {
            if generator.chance(60) {
                let banners = Int64.random(in: 1...5, using: &generator)
                let request = events(1...banners, count: Int64.random(in: 1...9, using: &generator))
                guard case .accepted = commits.add(request, waiter: "\(step)") else { continue }
                contents["\(step)"] = request
            } else if let commit = commits.begin(at: Self.time) {
                chunksOnTheWay = commit.chunks
            } else if !chunksOnTheWay.isEmpty {
                let isGood = generator.chance(70)
                let offsets = chunksOnTheWay.map { _ in
                    offset += 1
                    return LogOffset(offset)
                }
                let answers = commits.finish(isGood ? .success(offsets) : .failure(.refused("full"))) { _ in }
                if isGood { add(chunksOnTheWay, to: &committed) }
                chunksOnTheWay = []
                for answer in answers {
                    #expect(outcomes.updateValue(isGood, forKey: answer.waiter) == nil, "seed \(seed): answered twice")
                }
            }
        }
        for (waiter, isGood) in outcomes where isGood {
            for event in contents[waiter] ?? [] { sent["\(event.banner)", default: 0] += event.count }
        }
        #expect(sent == committed, "seed \(seed)")
        #expect(!outcomes.isEmpty)
    }

    private func event(minute: Int64) -> CountedEvent {
        CountedEvent(banner: BannerID(1)!, kind: .click, minute: Minute(sinceEpoch: minute)!, count: 1)
    }

    private func time(minute: Int64) -> Timestamp { Timestamp(milliseconds: minute * 60_000) }

    @Test("a minute that became final since an event was admitted refuses it, unless it is a backfill")
    func staleEvents() throws {
        var commits = Commits(node: SampleChunks.node, lastSequence: 0, logTime: time(minute: 100), late: 10)
        #expect(commits.add([event(minute: 89)], waiter: "late") == .refused(.stale))
        #expect(commits.add([event(minute: 90), event(minute: 89)], waiter: "one of them") == .refused(.stale))
        #expect(commits.add([event(minute: 90)], waiter: "just in time") == .accepted(begins: true))
        _ = commits.begin(at: time(minute: 100))
        _ = commits.finish(.success([LogOffset(1)])) { _ in }
        _ = commits.add([event(minute: 95)], waiter: "in time")
        _ = commits.begin(at: time(minute: 101))
        #expect(commits.add([event(minute: 90)], waiter: "late by now") == .refused(.stale))
        #expect(commits.add([event(minute: 3)], backfill: true, waiter: "backfill") == .accepted(begins: false))
    }

    @Test("a commit's time makes no minute final of its own events, nor of those that wait behind it")
    func eventsHoldTheTime() throws {
        var commits = Commits(node: SampleChunks.node, lastSequence: 0, logTime: time(minute: 100), late: 10)
        let full = (1...Int64(Limits.chunkEntries)).map {
            CountedEvent(banner: BannerID($0)!, kind: .click, minute: Minute(sinceEpoch: 100)!, count: 1)
        }
        _ = commits.add(full, waiter: "many")
        _ = commits.add([event(minute: 90)], waiter: "late")
        let first = commits.begin(at: time(minute: 105))
        #expect(first?.chunks.map(\.time) == [Timestamp(milliseconds: 101 * 60_000 - 1)])
        _ = commits.finish(.success([LogOffset(1)])) { _ in }
        let second = commits.begin(at: time(minute: 105))
        #expect(second?.chunks.map(\.time) == [Timestamp(milliseconds: 101 * 60_000 - 1)])
        _ = commits.finish(.success([LogOffset(2)])) { _ in }
        _ = commits.add([event(minute: 3)], backfill: true, waiter: "backfill")
        let third = commits.begin(at: time(minute: 105))
        #expect(third?.chunks.map(\.time) == [time(minute: 105)])
    }

    @Test("what is durable is counted before anyone is answered, and nothing else is")
    func countsBeforeAnswering() {
        var commits = commits()
        var counted: [LogOffset] = []
        _ = commits.add(events(1...1), waiter: "a")
        _ = commits.begin(at: Self.time)
        _ = commits.finish(.failure(.unavailable("away"))) { counted += $0.map(\.offset) }
        #expect(counted.isEmpty)
        _ = commits.add(events(1...1), waiter: "b")
        _ = commits.begin(at: Self.time)
        _ = commits.finish(.success([LogOffset(3)])) { counted += $0.map(\.offset) }
        #expect(counted == [LogOffset(3)])
    }

    private func add(_ chunks: [Chunk], to sums: inout [String: Int64]) {
        for delta in chunks.flatMap(\.deltas) { sums["\(delta.banner)", default: 0] += delta.count }
    }

    @Test("nothing is committed so late that it lies further back than minutes are kept")
    func floor() throws {
        var commits = Commits(node: SampleChunks.node, lastSequence: 0, logTime: .epoch, late: 0, floor: 100)
        let backfill = minute.advanced(by: 500)
        func time(_ minute: Minute) -> Timestamp { Timestamp(milliseconds: minute.unixSeconds * 1_000) }
        func event(_ minute: Minute) -> [CountedEvent] {
            [CountedEvent(banner: BannerID(1)!, kind: .click, minute: minute, count: 1, id: nil)]
        }
        let first = commits.add(event(backfill), backfill: true, waiter: "a")
        #expect(first == .accepted(begins: true))
        let commit = commits.begin(at: time(backfill.advanced(by: 300)))
        let late = try #require(commit)
        #expect(Minute(late.chunks[0].time) == backfill.advanced(by: 100), "the commit waits with the log's time")
        _ = commits.finish(.success([LogOffset(1)])) { _ in }

        let second = commits.add(event(backfill.advanced(by: 101)), backfill: true, waiter: "b")
        #expect(second == .accepted(begins: true))
        let next = commits.begin(at: time(backfill.advanced(by: 101)))
        #expect(next != nil)
        _ = commits.finish(.success([LogOffset(2)])) { _ in }
        let third = commits.add(event(backfill), backfill: true, waiter: "c")
        #expect(third == .refused(.stale))
        var chunk = SampleChunks.chunk(1_000, of: SampleChunks.other)
        chunk.deltas = [Delta(banner: BannerID(1)!, kind: 0, minute: backfill, count: 1)]
        chunk.identified = []
        let foreign = commits.add(chunk, waiter: "d")
        #expect(foreign == .refused(.stale))
        chunk.deltas[0].minute = backfill.advanced(by: 1)
        let younger = commits.add(chunk, waiter: "e")
        #expect(younger == .accepted(begins: true))
    }
}
