// SPDX-License-Identifier: Apache-2.0

import TallyCore
import TallySimulator
import Testing

@Suite("Up to which time a log is counted, while it grows")
struct CatchUpTests {
    private func read(_ catchUp: inout CatchUp, upTo offset: Int64, foundNothing: Bool = false, at second: Int64)
        -> Bool
    {
        catchUp.didRead(upTo: LogOffset(offset), foundNothing: foundNothing, began: .seconds(second))
    }

    @Test("a read that returns nothing has reached the end, as it was when the read began")
    func nothingFound() {
        var catchUp = CatchUp(at: .zero)
        #expect(read(&catchUp, upTo: 5, foundNothing: true, at: 3))
        #expect(catchUp.countedUpTo == .seconds(3))
        #expect(!asks(&catchUp, at: 3_000))
    }

    @Test("while every read returns something, the end is asked for, and is reached when it is counted")
    func endAskedFor() {
        var catchUp = CatchUp(at: .zero)
        #expect(!asks(&catchUp, at: 499))
        #expect(asks(&catchUp, at: 500))
        #expect(!asks(&catchUp, at: 999), "a question that was not answered is asked again, but not at once")
        #expect(asks(&catchUp, at: 1_000))
        catchUp.didLearn(end: LogOffset(7), at: .seconds(1))
        #expect(!asks(&catchUp, at: 9_000), "the end that is known is not reached yet")
        #expect(!read(&catchUp, upTo: 6, at: 1))
        #expect(catchUp.countedUpTo == .zero)
        #expect(read(&catchUp, upTo: 7, at: 2))
        #expect(catchUp.countedUpTo == .seconds(1))
        #expect(!read(&catchUp, upTo: 8, at: 3))
    }

    private func asks(_ catchUp: inout CatchUp, at millisecond: Int64) -> Bool {
        catchUp.asksForEnd(at: .milliseconds(millisecond))
    }

    @Test("everything that the log held at that time is counted, and a reader that keeps up stays close")
    func anyOrder() {
        let seed = UInt64.random(in: 0 ... .max)
        print("CatchUpTests: seed \(seed)")
        var random = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            var drill = CatchUpDrill(neverFindsNothing: random.chance(50), readsAll: random.chance(50))
            for _ in 0..<300 { drill.step(using: &random) }
        }
    }
}

/// A log, known by the times at which its messages were appended, and its reader.
private struct CatchUpDrill {
    let neverFindsNothing: Bool
    let readsAll: Bool
    private var appended: [Duration] = [.zero]
    private var counted = 0
    private var now = Duration.zero
    private var catchUp = CatchUp(at: .zero)

    init(neverFindsNothing: Bool, readsAll: Bool) {
        self.neverFindsNothing = neverFindsNothing
        self.readsAll = readsAll
    }

    mutating func step(using random: inout SeededGenerator) {
        if catchUp.asksForEnd(at: now) {
            let asked = now
            append(upTo: 2, using: &random)
            let end = LogOffset(Int64(appended.count))
            append(upTo: 2, using: &random)
            catchUp.didLearn(end: end, at: asked)
        }
        let began = now
        append(upTo: 4, using: &random)
        if neverFindsNothing && counted == appended.count { append(upTo: 0, using: &random) }
        let foundNothing = counted == appended.count
        let rest = appended.count - counted
        counted += readsAll ? rest : min(rest, Int(random.next() % 4))
        if catchUp.didRead(upTo: LogOffset(Int64(counted)), foundNothing: foundNothing, began: began) {
            #expect(!appended.dropFirst(counted).contains { $0 <= catchUp.countedUpTo })
        }
        if readsAll { #expect(now - catchUp.countedUpTo <= CatchUp.questionInterval + .milliseconds(400)) }
    }

    /// - Parameter most: 0 for exactly one.
    private mutating func append(upTo most: UInt64, using random: inout SeededGenerator) {
        now += .milliseconds(Int64(1 + random.next() % 100))
        appended += Array(repeating: now, count: most == 0 ? 1 : Int(random.next() % (most + 1)))
    }
}
