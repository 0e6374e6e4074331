// SPDX-License-Identifier: Apache-2.0

import TallySimulator
import Testing

@testable import TallyCore

@Suite("Which partitions a process counts")
struct PartitionDutiesTests {
    private var duties = PartitionDuties()

    @Test("what is assigned begins, what is assigned no more ends, and the rest goes on")
    mutating func assignments() {
        #expect(duties.assign([2, 1]) == [.begin(1), .begin(2)])
        #expect(duties.assign([2, 3]) == [.end(1), .begin(3)])
        #expect(duties.assigned == [2, 3])
        #expect(duties.didEnd(1, .released) == nil)
        #expect(duties.assign([2, 3]) == [])
    }

    @Test("a partition that comes back while it is still ending begins when it has ended, and not before")
    mutating func assignedWhileEnding() {
        _ = duties.assign([1])
        #expect(duties.assign([]) == [.end(1)])
        #expect(duties.assign([1]) == [])
        #expect(duties.didEnd(1, .released) == .begin(1))
    }

    @Test("a partition that comes back and is lost again while it is ending does not begin")
    mutating func lostAgainWhileEnding() {
        _ = duties.assign([1])
        _ = duties.assign([])
        _ = duties.assign([1])
        #expect(duties.assign([]) == [])
        #expect(duties.didEnd(1, .failed("away")) == nil)
        #expect(duties.isAtRest)
        #expect(duties.assigned.isEmpty)
    }

    @Test(
        "a store or log that is away is asked again later, each time after longer, until the end of the log was reached"
    )
    mutating func failures() {
        _ = duties.assign([1])
        #expect(duties.didEnd(1, .failed("away")) == .wait(1, failures: 1))
        #expect(duties.problem(of: 1) == "away")
        #expect(duties.retry(1, failures: 1) == .begin(1))
        #expect(duties.didEnd(1, .failed("still away")) == .wait(1, failures: 2))
        #expect(duties.retry(1, failures: 1) == nil, "the time of an earlier wait")
        #expect(duties.retry(1, failures: 2) == .begin(1))
        #expect(duties.problem(of: 1) == "still away")
        duties.didCatchUp(1)
        #expect(duties.problem(of: 1) == nil)
        #expect(duties.didEnd(1, .failed("away again")) == .wait(1, failures: 1))
    }

    @Test("a partition in whose log a chunk is missing is begun again once, until it was complete or another's")
    mutating func missingChunks() {
        _ = duties.assign([1, 2])
        let answers = [duties.shouldReadAgain(1), duties.shouldReadAgain(1), duties.shouldReadAgain(2)]
        #expect(answers == [true, false, true])
        #expect(duties.didEnd(1, .outrun("missing")) == .begin(1))
        duties.didCatchUp(1, isComplete: false)
        let again = duties.shouldReadAgain(1)
        #expect(!again)
        duties.didCatchUp(1, isComplete: true)
        let afterwards = duties.shouldReadAgain(1)
        #expect(afterwards)
        _ = duties.assign([2])
        let ofAnother = duties.shouldReadAgain(1)
        #expect(!ofAnother)
    }

    @Test("a wait of a partition that was lost and came back changes nothing")
    mutating func outdatedWait() {
        _ = duties.assign([1])
        _ = duties.didEnd(1, .failed("away"))
        #expect(duties.assign([]) == [])
        #expect(duties.assign([1]) == [.begin(1)])
        #expect(duties.retry(1, failures: 1) == nil)
    }

    @Test("one that was outrun begins again at once, and waits when that happens again before the end of the log")
    mutating func outrun() {
        _ = duties.assign([1])
        #expect(duties.didEnd(1, .outrun("dropped")) == .begin(1))
        #expect(duties.didEnd(1, .outrun("dropped")) == .wait(1, failures: 2))
        _ = duties.retry(1, failures: 2)
        duties.didCatchUp(1)
        #expect(duties.didEnd(1, .outrun("dropped")) == .begin(1))
    }

    @Test("one that is stopped stays so with its reason, while the others go on; lost and won again it is tried anew")
    mutating func stopped() {
        _ = duties.assign([1, 2])
        #expect(duties.didEnd(1, .stopped("damaged")) == nil)
        #expect(duties.problem(of: 1) == "damaged")
        #expect(duties.problem(of: 2) == nil)
        #expect(duties.assign([1, 2]) == [])
        #expect(duties.assign([2]) == [])
        #expect(duties.problem(of: 1) == nil)
        #expect(duties.assign([1, 2]) == [.begin(1)])
    }

    @Test("after the close nothing begins, whatever was wanted or waited for")
    mutating func close() {
        _ = duties.assign([1, 2, 3])
        _ = duties.didEnd(1, .failed("away"))
        _ = duties.assign([1, 2])
        _ = duties.assign([1, 2, 3])
        duties.close()
        #expect(!duties.isAtRest)
        #expect(duties.retry(1, failures: 1) == nil)
        #expect(duties.didEnd(2, .released) == nil)
        #expect(duties.didEnd(3, .released) == nil)
        #expect(duties.assign([4]) == [])
        #expect(duties.isAtRest)
    }

    @Test(
        "in any order of events no partition is counted twice at a time, and in the end exactly what is assigned is counted"
    )
    func anyOrder() {
        let seed = UInt64.random(in: 0 ... .max)
        print("PartitionDutiesTests: seed \(seed)")
        var random = SeededGenerator(seed: seed)
        for _ in 0..<300 {
            var drill = DutyDrill(random.next())
            drill.run("seed \(seed)")
        }
    }
}

/// An owner that does what it is told when it likes to.
private struct DutyDrill {
    private var random: SeededGenerator
    private var duties = PartitionDuties()
    private var running: Set<Int> = []
    private var told: Set<Int> = []
    private var waits: [(partition: Int, failures: Int)] = []
    private var wanted: Set<Int> = []

    init(_ seed: UInt64) { random = SeededGenerator(seed: seed) }

    mutating func run(_ place: Comment) {
        for _ in 0..<200 { step(place) }
        // Everything goes well from here on.
        for partition in told.sorted() { end(partition, .released, place) }
        for wait in waits { act(duties.retry(wait.partition, failures: wait.failures), place) }
        let stopped = wanted.filter { duties.problem(of: $0) != nil && !running.contains($0) }
        #expect(running == wanted.subtracting(stopped), place)
        #expect(stopped.allSatisfy { duties.problem(of: $0) == "a person has to look" }, place)
    }

    private mutating func step(_ place: Comment) {
        switch Int.random(in: 0..<6, using: &random) {
        case 0, 1:
            wanted = Set((0..<4).filter { _ in random.chance(50) })
            for action in duties.assign(wanted) { act(action, place) }
        case 2: if let partition = told.sorted().randomElement(using: &random) { end(partition, .released, place) }
        case 3:
            guard let partition = running.subtracting(told).sorted().randomElement(using: &random) else { return }
            let endings: [PartitionDuties.Ending] = [
                .outrun("dropped"), .failed("away"), .failed("away"), .stopped("a person has to look"),
            ]
            end(partition, endings.randomElement(using: &random) ?? .outrun("dropped"), place)
        case 4:
            if !waits.isEmpty {
                let wait = waits.remove(at: Int.random(in: 0..<waits.count, using: &random))
                act(duties.retry(wait.partition, failures: wait.failures), place)
            }
        default: if let partition = running.sorted().randomElement(using: &random) { duties.didCatchUp(partition) }
        }
        #expect(duties.assigned == wanted, place)
    }

    private mutating func end(_ partition: Int, _ ending: PartitionDuties.Ending, _ place: Comment) {
        running.remove(partition)
        told.remove(partition)
        act(duties.didEnd(partition, ending), place)
    }

    private mutating func act(_ action: PartitionDuties.Action?, _ place: Comment) {
        switch action {
        case .begin(let partition): #expect(running.insert(partition).inserted, place)
        case .end(let partition):
            #expect(running.contains(partition), place)
            told.insert(partition)
        case .wait(let partition, let failures): waits.append((partition, failures))
        case nil: break
        }
    }
}
