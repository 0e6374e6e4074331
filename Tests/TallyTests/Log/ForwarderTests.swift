// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TallyCore

@Suite("From the spool to the log")
struct ForwarderTests {
    private func entries(_ offsets: ClosedRange<Int64>) -> [LogEntry] {
        offsets.map { LogEntry(offset: LogOffset($0), chunk: SampleChunks.chunk(UInt64($0))) }
    }

    private func next(_ forwarder: inout Forwarder, end: Int64) -> Forwarder.Action? {
        forwarder.next(end: LogOffset(end))
    }

    /// A spool of these entries, from offset 1 on, which was read and of which nothing was sent.
    private func forwarder(thatRead entries: [LogEntry]) -> Forwarder {
        var forwarder = Forwarder(first: LogOffset(1))
        _ = forwarder.next(end: LogOffset(Int64(entries.count)))
        forwarder.didRead(entries)
        return forwarder
    }

    @Test("an empty spool asks for nothing")
    func empty() {
        var forwarder = Forwarder(first: LogOffset(1))
        let action = next(&forwarder, end: 0)
        #expect(action == nil)
        #expect(!forwarder.isLogAway)
    }

    @Test("oldest first, and what was sent may be dropped")
    func drains() {
        var forwarder = Forwarder(first: LogOffset(3))
        #expect(next(&forwarder, end: 4) == .read(from: LogOffset(3)))
        forwarder.didRead(entries(3...4))
        #expect(next(&forwarder, end: 4) == .send([SampleChunks.chunk(3), SampleChunks.chunk(4)]))
        let sent = forwarder.didSend()
        #expect(sent == [SampleChunks.chunk(3), SampleChunks.chunk(4)])
        #expect(forwarder.position == LogOffset(4))
        #expect(next(&forwarder, end: 4) == .trim(before: LogOffset(5)))
        forwarder.didTrim()
        #expect(next(&forwarder, end: 4) == nil)
        #expect(next(&forwarder, end: 5) == .read(from: LogOffset(5)))
    }

    /// Of the partitions 0 and 3, in turn.
    private func ofTwoPartitions(_ offsets: ClosedRange<Int>) -> [LogEntry] {
        offsets.map { offset in
            let node = NodeID(process: SampleChunks.node, partition: offset % 2 == 1 ? 0 : 3)
            return LogEntry(offset: LogOffset(Int64(offset)), chunk: SampleChunks.chunk(UInt64(offset), of: node))
        }
    }

    @Test("what was not taken is sent again, alone, and until then its partition's new chunks join the spool")
    func failure() {
        let chunks = ofTwoPartitions(1...4).map(\.chunk)
        var forwarder = forwarder(thatRead: ofTwoPartitions(1...4))
        #expect(next(&forwarder, end: 4) == .send(chunks))
        let sent = forwarder.didSend(failed: [3])
        #expect(sent == [chunks[0], chunks[2]])
        #expect(forwarder.isAway(3))
        #expect(!forwarder.isAway(0))
        #expect(forwarder.position == .none, "what is behind it may not be dropped before it")
        #expect(next(&forwarder, end: 4) == .send([chunks[1]]))
        var rest = forwarder.didSend()
        #expect(!forwarder.isLogAway)
        #expect(forwarder.position == .none)
        #expect(next(&forwarder, end: 4) == .send([chunks[3]]))
        rest += forwarder.didSend()
        #expect(rest == [chunks[1], chunks[3]])
        #expect(forwarder.position == LogOffset(4))
    }

    @Test(
        "a log that stores a limited number of chunks in time has all of them in the end",
        arguments: [1, 2, 7, 100, 1_000])
    func slowLog(most: Int) {
        var forwarder = forwarder(thatRead: entries(1...1_000))
        var sent: [Chunk] = []
        var calls = 0
        // A success sends at least half of what the log stores in time. At worst each is followed by a failure; ten failures come before the
        // first.
        let callLimit = 2 * 2_000 / most + 10
        while calls <= callLimit, case .send(let chunks) = next(&forwarder, end: 1_000) {
            calls += 1
            sent += forwarder.didSend(failed: chunks.count > most ? [chunks[0].node.partition] : [])
        }
        #expect(sent == entries(1...1_000).map(\.chunk))
        #expect(forwarder.position == LogOffset(1_000))
    }

    @Test("a partition that was away for long takes the rest in few calls")
    func recovery() {
        var forwarder = forwarder(thatRead: entries(1...1_000))
        for _ in 1...20 {
            _ = next(&forwarder, end: 1_000)
            _ = forwarder.didSend(failed: [SampleChunks.node.partition])
        }
        var counts: [Int] = []
        while case .send(let chunks) = next(&forwarder, end: 1_000) {
            counts.append(chunks.count)
            _ = forwarder.didSend()
        }
        #expect(counts == [1, 2, 4, 8, 16, 32, 64, 128, 256, 489])
    }

    @Test("what the log has is dropped before more is read")
    func trimsUnderLoad() {
        var forwarder = forwarder(thatRead: entries(1...2))
        _ = next(&forwarder, end: 4)
        _ = forwarder.didSend()
        #expect(next(&forwarder, end: 4) == .trim(before: LogOffset(3)))
        forwarder.didTrim()
        #expect(next(&forwarder, end: 4) == .read(from: LogOffset(3)))
    }

    @Test("one partition that fails does not limit what another is sent")
    func slowPartition() {
        var forwarder = forwarder(thatRead: ofTwoPartitions(1...20))
        _ = next(&forwarder, end: 20)
        _ = forwarder.didSend(failed: [0])
        #expect(next(&forwarder, end: 40) == .send([1, 3, 5, 7, 9].flatMap { ofTwoPartitions($0...$0) }.map(\.chunk)))
        while forwarder.position < LogOffset(20) {
            _ = forwarder.didSend()
            _ = next(&forwarder, end: 40)
        }
        forwarder.didTrim()
        #expect(next(&forwarder, end: 40) == .read(from: LogOffset(21)))
        forwarder.didRead(ofTwoPartitions(21...40))
        guard case .send(let more) = next(&forwarder, end: 40) else {
            Issue.record("nothing is sent")
            return
        }
        #expect(more.count { $0.node.partition == 3 } == 10)
    }

    @Test("offsets that were lost to damage are passed over")
    func lostOffsets() {
        var forwarder = Forwarder(first: LogOffset(1))
        _ = next(&forwarder, end: 5)
        forwarder.didRead(entries(2...2))
        _ = next(&forwarder, end: 5)
        _ = forwarder.didSend()
        #expect(next(&forwarder, end: 5) == .trim(before: LogOffset(3)))
        forwarder.didTrim()
        #expect(next(&forwarder, end: 5) == .read(from: LogOffset(3)))
        forwarder.didRead([])
        #expect(next(&forwarder, end: 5) == .trim(before: LogOffset(6)))
    }

    @Test("while a partition is away and nothing is to be sent to it, it is asked until it answers")
    func probes() {
        var forwarder = Forwarder(first: LogOffset(1))
        forwarder.note(2, answered: false)
        #expect(next(&forwarder, end: 0) == .probe(2))
        forwarder.didProbe(answered: false)
        #expect(forwarder.isAway(2))
        #expect(next(&forwarder, end: 0) == .probe(2))
        forwarder.didProbe(answered: true)
        #expect(!forwarder.isLogAway)
        #expect(next(&forwarder, end: 0) == nil)
    }

    @Test("a partition that stays away does not keep others from being asked")
    func probesBesideSending() {
        var forwarder = Forwarder(first: LogOffset(1))
        forwarder.note(1, answered: false)
        _ = next(&forwarder, end: 4)
        forwarder.didRead(ofTwoPartitions(1...4))
        _ = next(&forwarder, end: 4)
        _ = forwarder.didSend(failed: [0, 3])
        #expect(next(&forwarder, end: 4) == .probe(1))
        forwarder.didProbe(answered: true)
        #expect(next(&forwarder, end: 4) == .send(ofTwoPartitions(1...2).map(\.chunk)))
    }

    @Test("a spool that can't be read says nothing about the log")
    func unreadableSpool() {
        var forwarder = Forwarder(first: LogOffset(1))
        _ = next(&forwarder, end: 1)
        forwarder.didFail()
        #expect(!forwarder.isLogAway)
        #expect(next(&forwarder, end: 1) == .read(from: LogOffset(1)))
    }

    @Test("what could not be dropped is dropped with what comes next")
    func failedTrimming() {
        var forwarder = Forwarder(first: LogOffset(1))
        _ = next(&forwarder, end: 1)
        forwarder.didRead(entries(1...1))
        _ = next(&forwarder, end: 1)
        _ = forwarder.didSend()
        #expect(next(&forwarder, end: 1) == .trim(before: LogOffset(2)))
        forwarder.didFail()
        #expect(next(&forwarder, end: 1) == nil)
        #expect(next(&forwarder, end: 2) == .read(from: LogOffset(2)))
    }

    @Test("a chunk that was sent directly tells too whether its partition is there")
    func directly() {
        var forwarder = Forwarder(first: LogOffset(1))
        forwarder.note(1, answered: false)
        #expect(forwarder.isAway(1))
        #expect(!forwarder.isAway(0))
        forwarder.note(0, answered: true)
        #expect(forwarder.isAway(1))
        forwarder.note(1, answered: true)
        #expect(!forwarder.isLogAway)
    }
}
