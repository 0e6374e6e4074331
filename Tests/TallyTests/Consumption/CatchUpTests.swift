// SPDX-License-Identifier: Apache-2.0

import TallyCore
import TallySimulator
import Testing

@Suite("Up to which moment a log is counted, while others append to it")
struct CatchUpTests {
    private func read(_ catchUp: inout CatchUp, upTo offset: Int64, foundNothing: Bool = false, at second: Int64)
        -> Bool
    {
        catchUp.didRead(upTo: LogOffset(offset), foundNothing: foundNothing, began: .seconds(second))
    }

    @Test("a reading that finds nothing has come to the end, as it was when the reading began")
    func nothingFound() {
        var catchUp = CatchUp(at: .zero)
        #expect(read(&catchUp, upTo: 5, foundNothing: true, at: 3))
        #expect(catchUp.time == .seconds(3))
        #expect(!catchUp.asksForEnd(at: .seconds(3)))
    }

    @Test("while every reading finds something, the end is asked for, and is reached when it is counted")
    func endAskedFor() {
        var catchUp = CatchUp(at: .zero)
        #expect(!catchUp.asksForEnd(at: .milliseconds(499)))
        #expect(catchUp.asksForEnd(at: .milliseconds(500)))
        catchUp.didLearn(end: LogOffset(7), at: .milliseconds(500))
        #expect(!catchUp.asksForEnd(at: .seconds(9)), "the end that is known is not reached yet")
        #expect(!read(&catchUp, upTo: 6, at: 1))
        #expect(catchUp.time == .zero)
        #expect(read(&catchUp, upTo: 7, at: 2))
        #expect(catchUp.time == .milliseconds(500))
        #expect(!read(&catchUp, upTo: 8, at: 3))
    }

    @Test("everything of that moment is counted, and a reader that is as fast as the others stays close")
    func anyOrder() {
        let seed = UInt64.random(in: 0 ... .max)
        print("CatchUpTests: seed \(seed)")
        var random = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            var drill = CatchUpDrill(leavesSome: random.chance(50))
            for _ in 0..<300 { drill.step(using: &random) }
        }
    }
}

/// A log whose messages are the times at which they were appended, and its reader.
private struct CatchUpDrill {
    /// There is always more than one reading takes.
    let leavesSome: Bool
    private var appended: [Duration] = [.zero]
    private var counted = 0
    private var now = Duration.zero
    private var catchUp = CatchUp(at: .zero)

    init(leavesSome: Bool) { self.leavesSome = leavesSome }

    mutating func step(using random: inout SeededGenerator) {
        if catchUp.asksForEnd(at: now) { catchUp.didLearn(end: LogOffset(Int64(appended.count)), at: now) }
        let began = now
        now += .milliseconds(Int64(1 + random.next() % 100))
        let there = appended.count
        appended += Array(repeating: now, count: Int(random.next() % 4) + (leavesSome ? 1 : 0))
        let foundNothing = counted == there
        counted = there
        if catchUp.didRead(upTo: LogOffset(Int64(counted)), foundNothing: foundNothing, began: began) {
            #expect(!appended.dropFirst(counted).contains { $0 <= catchUp.time })
        }
        #expect(now - catchUp.time <= CatchUp.interval + .milliseconds(200))
    }
}
