// SPDX-License-Identifier: Apache-2.0

import TallyCore
import TallySimulator
import Testing

/// A log of remote servers: consumers skip what was trimmed or deleted and say nothing of it.
private struct FakeServers {
    var count: Int64
    var first: Int64 = 1
    var deleted: Set<Int64> = []
    var absence = LogBounds.Absence.listed([])
    /// What the consumer is sent next.
    var next: Int64 = 1

    var bounds: LogBounds {
        var absence = absence
        if case .listed = absence { absence = .listed(deleted.filter { $0 >= first }.sorted().map { LogOffset($0) }) }
        return LogBounds(first: LogOffset(first), last: LogOffset(count), absence: absence)
    }

    mutating func trim(before offset: Int64) { first = max(first, offset) }

    mutating func send(_ most: Int) -> [LogReading<Int64>.Item] {
        let sent = (max(next, first)..<max(next, first, count + 1)).filter { !deleted.contains($0) }.prefix(most)
        next = sent.last.map { $0 + 1 } ?? next
        return sent.map { (LogOffset($0), $0) }
    }

    /// Makes the call that the reading asks for.
    /// - Returns: what was read; nil when there is more to ask for.
    mutating func step(_ reading: inout LogReading<Int64>, batch: Int) -> Reply? {
        switch reading.action {
        case .give:
            var taken: [Int64] = []
            while let (_, message) = reading.next() {
                reading.didGive()
                taken.append(message)
            }
            return .messages(taken)
        case .end: return .end
        case .trimmed(let first): return .trimmed(first.value)
        case .askBounds: reading.didLearn(bounds)
        case .begin(let offset):
            next = offset.value
            reading.didBegin()
        case .fetch:
            let sent = send(batch)
            if sent.isEmpty { reading.didFail() } else { reading.didFetch(sent) }
        }
        return nil
    }

    enum Reply: Equatable {
        case messages([Int64])
        case end
        case trimmed(Int64)
    }
}

@Suite("A reader of a remote log gives everything in order, or says what was trimmed")
struct LogReadingTests {
    private typealias Reading = LogReading<Int64>

    private func located(at start: Int64, end: Int64 = 100) -> Reading {
        var reading = Reading()
        reading.request(from: LogOffset(start))
        reading.didLearn(LogBounds(first: LogOffset(1), last: LogOffset(end)))
        return reading
    }

    private func fetch(_ sequences: Int64..., into reading: inout Reading) {
        reading.didFetch(sequences.map { (LogOffset($0), $0) })
    }

    private func take(_ reading: inout Reading) -> [Int64] {
        var taken: [Int64] = []
        while let (_, message) = reading.next() {
            taken.append(message)
            reading.didGive()
        }
        return taken
    }

    @Test func itBeginsWhereItIsAskedTo() {
        var reading = located(at: 5)
        #expect(reading.action == .begin(LogOffset(5)))
        reading.didBegin()
        #expect(reading.action == .fetch)
        fetch(5, 6, 7, into: &reading)
        #expect(take(&reading) == [5, 6, 7])
        reading.request(from: LogOffset(8))
        #expect(reading.action == .fetch, "it goes on")
        fetch(6, 7, into: &reading)
        #expect(reading.action == .fetch, "it came before")
        reading.request(from: LogOffset(6))
        #expect(reading.action == .askBounds(listsAbsent: false), "it moves")
    }

    @Test func whatWasTrimmedBeforeIsReported() {
        var reading = Reading()
        reading.request(from: LogOffset(3))
        reading.didLearn(LogBounds(first: LogOffset(9), last: LogOffset(20)))
        #expect(reading.action == .trimmed(first: LogOffset(9)))
    }

    @Test func anEmptiedLogIsTrimmedBeforeItsEndAndEmptyBehindIt() {
        for (start, action) in [(20, .trimmed(first: LogOffset(21))), (21, .end), (30, .end)]
            as [(Int64, Reading.Action)]
        {
            var reading = Reading()
            reading.request(from: LogOffset(start))
            reading.didLearn(LogBounds(first: LogOffset(21), last: LogOffset(20)))
            #expect(reading.action == action)
        }
    }

    @Test("what a new consumer leaves out first was trimmed, if the log says so afterwards")
    func aNewConsumerSkipsWhatWasTrimmed() {
        var reading = located(at: 5)
        reading.didBegin()
        fetch(9, 10, into: &reading)
        #expect(reading.action == .askBounds(listsAbsent: true))
        reading.didLearn(LogBounds(first: LogOffset(9), last: LogOffset(20)))
        #expect(reading.action == .trimmed(first: LogOffset(9)))
    }

    @Test("a gap that the log does not list was lost on the way: another consumer begins there")
    func gapsAreLosses() {
        var reading = located(at: 1)
        reading.didBegin()
        fetch(1, 2, 4, 5, into: &reading)
        #expect(take(&reading) == [1, 2])
        #expect(reading.action == .askBounds(listsAbsent: true))
        reading.didLearn(LogBounds(first: LogOffset(1), last: LogOffset(20), absence: .listed([LogOffset(7)])))
        #expect(reading.action == .begin(LogOffset(3)))
        reading.didBegin()
        fetch(3, 4, 5, into: &reading)
        #expect(take(&reading) == [3, 4, 5])
    }

    @Test("a gap that is listed, or where the servers send all, is passed over")
    func provenGaps() {
        for absence in [.whatIsNotSent, .listed([LogOffset(3), LogOffset(4), LogOffset(8)])] as [LogBounds.Absence] {
            var reading = located(at: 1)
            reading.didBegin()
            fetch(1, 2, 5, 6, into: &reading)
            #expect(take(&reading) == [1, 2])
            reading.didLearn(LogBounds(first: LogOffset(1), last: LogOffset(20), absence: absence))
            #expect(take(&reading) == [5, 6])
        }
    }

    @Test("a gap that is listed in part is not proven")
    func halfProvenGap() {
        var reading = located(at: 1)
        reading.didBegin()
        fetch(5, into: &reading)
        let absent = (1...3).map { LogOffset($0) }
        reading.didLearn(LogBounds(first: LogOffset(1), last: LogOffset(20), absence: .listed(absent)))
        #expect(reading.action == .begin(LogOffset(1)))
    }

    @Test("a consumer that sends nothing, or fails, is begun again once it is known what is trimmed")
    func failures() {
        var reading = located(at: 4)
        reading.didBegin()
        reading.didFail()
        #expect(reading.action == .askBounds(listsAbsent: false))
        reading.didLearn(LogBounds(first: LogOffset(5), last: LogOffset(5)))
        #expect(reading.action == .trimmed(first: LogOffset(5)))
    }

    @Test("messages that are passed over are not read again")
    func passedOver() {
        var reading = located(at: 1)
        reading.didBegin()
        fetch(1, 2, 3, into: &reading)
        _ = reading.next()
        reading.didGive()
        _ = reading.next()
        // The reader got 1 alone, and asks for 2 again; 2 was no chunk.
        reading.request(from: LogOffset(2))
        #expect(take(&reading) == [3])
    }

    @Test("at the end it waits with a consumer behind the end, and no end is asked for when a message is noticed")
    func waiting() {
        var reading = located(at: 7, end: 6)
        #expect(reading.action == .end && reading.canWait && reading.needsConsumer)
        reading.request(from: LogOffset(7))
        reading.didBegin()
        #expect(reading.action == .askBounds(listsAbsent: false))
        reading.didNoticeMessage()
        #expect(reading.action == .fetch)
        fetch(9, into: &reading)
        #expect(!reading.canWait, "the gap comes first")
    }

    /// Every way in which a trim can meet a reading of a small log: at each of its calls, to each offset.
    @Test("whenever others trim, nothing is skipped", arguments: [LogBounds.Absence.listed([]), .whatIsNotSent])
    func trimsBetweenAllCalls(_ absence: LogBounds.Absence) {
        for start in 1...6 as ClosedRange<Int64> {
            for trimmedBefore in 1...8 as ClosedRange<Int64> {
                for call in 0...20 {
                    for batch in 1...3 {
                        read(from: start, trimBefore: trimmedBefore, atCall: call, batch: batch, absence)
                    }
                }
            }
        }
    }

    private func read(
        from start: Int64, trimBefore offset: Int64, atCall call: Int, batch: Int, _ absence: LogBounds.Absence
    ) {
        var servers = FakeServers(count: 7, deleted: [3], absence: absence)
        var reading = Reading()
        var taken: [Int64] = []
        var position = start
        reading.request(from: LogOffset(start))
        for number in 0..<200 {
            if number == call { servers.trim(before: offset) }
            switch servers.step(&reading, batch: batch) {
            case nil: continue
            case .messages(let messages):
                taken += messages
                position = (messages.last ?? position - 1) + 1
                reading.request(from: LogOffset(position))
            case .end:
                #expect(
                    taken == (start...7).filter { $0 != 3 }, "trim before \(offset) at call \(call), batch \(batch)")
                return
            case .trimmed(let first):
                #expect(first == offset && position < offset && number >= call)
                #expect(taken == (start..<max(start, position)).filter { $0 != 3 })
                return
            }
        }
        Issue.record("the reading from \(start) does not end: trim before \(offset) at call \(call), batch \(batch)")
    }

    @Test("whatever is lost on the way, everything comes once and in order", arguments: UInt64(1)...20)
    func nothingIsLost(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var servers = FakeServers(count: 200)
        servers.deleted = Set((1...200).filter { _ in random.chance(5) })
        var reading = Reading()
        var taken: [Int64] = []
        reading.request(from: LogOffset(1))
        for _ in 0..<20_000 {
            if case .fetch = reading.action, random.chance(20) {
                // A connection that breaks takes a part of a batch along, or all of it.
                let arrived = servers.send(10).filter { _ in random.chance(50) }
                if arrived.isEmpty { reading.didFail() } else { reading.didFetch(arrived) }
                continue
            }
            let reply = servers.step(&reading, batch: Int(random.number(1...10)))
            if case .messages(let messages) = reply {
                taken += messages
                reading.request(from: LogOffset(messages[messages.count - 1] + 1))
            }
            if reply == .end { break }
        }
        #expect(taken == (1...200).filter { !servers.deleted.contains($0) }, "seed \(seed)")
    }
}
