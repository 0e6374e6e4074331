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
        #expect(next(&forwarder, end: 4) == .send(SampleChunks.chunk(3)))
        forwarder.didSend()
        #expect(next(&forwarder, end: 4) == .send(SampleChunks.chunk(4)))
        forwarder.didSend()
        #expect(next(&forwarder, end: 4) == .trim(before: LogOffset(5)))
        forwarder.didTrim()
        #expect(next(&forwarder, end: 4) == nil)
        #expect(next(&forwarder, end: 5) == .read(from: LogOffset(5)))
    }

    @Test("what was not taken is sent again, and until then new chunks join the spool")
    func failure() {
        var forwarder = Forwarder(first: LogOffset(1))
        _ = next(&forwarder, end: 1)
        forwarder.didRead(entries(1...1))
        _ = next(&forwarder, end: 1)
        forwarder.didFail()
        #expect(forwarder.isLogAway)
        #expect(next(&forwarder, end: 1) == .send(SampleChunks.chunk(1)))
        forwarder.didSend()
        #expect(!forwarder.isLogAway)
        #expect(forwarder.position == LogOffset(1))
    }

    @Test("offsets that were lost to damage are passed over")
    func lostOffsets() {
        var forwarder = Forwarder(first: LogOffset(1))
        _ = next(&forwarder, end: 5)
        forwarder.didRead(entries(2...2))
        _ = next(&forwarder, end: 5)
        forwarder.didSend()
        #expect(next(&forwarder, end: 5) == .read(from: LogOffset(3)))
        forwarder.didRead([])
        #expect(next(&forwarder, end: 5) == .trim(before: LogOffset(6)))
    }

    @Test("a chunk that was sent directly tells too whether the log is there")
    func directly() {
        var forwarder = Forwarder(first: LogOffset(1))
        forwarder.note(logAnswered: false)
        #expect(forwarder.isLogAway)
        forwarder.note(logAnswered: true)
        #expect(!forwarder.isLogAway)
    }
}
