// SPDX-License-Identifier: Apache-2.0

import TallySimulator
import Testing

@testable import TallyBackends

@Suite("A reader of a stream notices what was lost on the way")
struct JetStreamReadingTests {
    private typealias Reading = JetStreamReading<Int64>

    private func add(_ sequences: Int64..., to reading: inout Reading) -> Bool {
        reading.add(sequences.map { ($0, $0) })
    }

    private func take(_ reading: inout Reading) -> [Int64] {
        var taken: [Int64] = []
        while let (sequence, _) = reading.next() {
            taken.append(sequence)
            reading.didGive()
        }
        return taken
    }

    @Test func nowhereIsNoPlaceToGoOn() {
        let reading = Reading()
        #expect(!reading.continues(at: 1) && reading.mustBegin)
    }

    @Test func whatFollowsIsGiven() {
        var reading = Reading(at: 5)
        reading.didBegin()
        #expect(add(5, 6, 7, to: &reading))
        #expect(take(&reading) == [5, 6, 7])
        #expect(reading.continues(at: 8) && !reading.continues(at: 5) && !reading.mustBegin)
        let isNew = add(6, 7, to: &reading)
        #expect(!isNew, "it came before")
    }

    @Test(
        "a consumer that began at the end may leave nothing out: what it sends first is the next, or it is begun again")
    func beginningAtTheEnd() {
        var reading = Reading(at: 5)
        reading.didBegin(isAtEnd: true)
        let isNew = add(7, to: &reading)
        #expect(!isNew && reading.mustBegin && !reading.hasMore)
        reading.didBegin(isAtEnd: true)
        #expect(add(5, 6, to: &reading))
        #expect(reading.hasMore && take(&reading) == [5, 6])
    }

    @Test("a consumer whose first messages are lost is begun again: the next would look like the first")
    func lostBeginning() {
        var reading = Reading(at: 1)
        reading.didBegin()
        let isNew = reading.add([])
        #expect(!isNew && reading.mustBegin)
    }

    @Test("a hole in what a consumer sends was lost: another one begins there")
    func holesAreLosses() {
        var reading = Reading(at: 1)
        reading.didBegin()
        #expect(add(1, 2, 4, 5, to: &reading))
        #expect(take(&reading) == [1, 2])
        #expect(reading.mustBegin && reading.position == 3)
        reading.didBegin()
        #expect(add(3, 4, 5, to: &reading))
        #expect(take(&reading) == [3, 4, 5])
    }

    @Test("a hole before the first that a new consumer sends is in the stream")
    func holesOfTheStream() {
        var reading = Reading(at: 1)
        reading.didBegin()
        #expect(add(4, 5, to: &reading))
        #expect(take(&reading) == [4, 5])
    }

    @Test("what was passed over is not read again")
    func passedOver() {
        var reading = Reading(at: 1)
        reading.didBegin()
        #expect(add(1, 2, 3, to: &reading))
        _ = reading.next()
        reading.didGive()
        _ = reading.next()
        // The reader got 1 alone, and asks for 2 again; 2 was no chunk.
        #expect(reading.continues(at: 2) && reading.continues(at: 3) && !reading.continues(at: 1))
        #expect(take(&reading) == [3])
    }

    @Test("whatever is lost, everything comes once and in order", arguments: UInt64(1)...20)
    func nothingIsLost(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let stream = (Int64(1)...200).filter { _ in random.chance(95) }
        var reading = Reading(at: 1)
        var sent: Int64 = 0
        var taken: [Int64] = []
        for _ in 0..<10_000 where taken.count < stream.count {
            if reading.mustBegin || random.chance(5) {
                sent = reading.position - 1
                reading.didBegin()
            }
            let batch = stream.drop { $0 <= sent }.prefix(Int(random.number(1...10)))
            sent = batch.last ?? sent
            // A connection that breaks takes the last of a batch along, or all of it.
            let arrived = random.chance(20) ? batch.prefix(Int(random.number(0...5))) : batch
            _ = reading.add(arrived.map { ($0, $0) })
            taken += take(&reading)
            // A consumer that sends no more is begun again by its owner.
            if sent == stream.last { reading.begin() }
        }
        #expect(taken == stream, "seed \(seed)")
    }
}
