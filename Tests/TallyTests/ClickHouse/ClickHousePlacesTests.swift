// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Testing

@testable import TallyBackends

@Suite("Places for statements", .timeLimit(.minutes(5)))
struct ClickHousePlacesTests {
    @Test("no more are in than there are places, and all come in")
    func limit() async throws {
        let places = ClickHousePlaces(3)
        let inside = Inside()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<20 { group.addTask { try await places.within { await inside.visit() } } }
            try await group.waitForAll()
        }
        #expect(inside.visits == 20)
        #expect(inside.most <= 3)
        #expect(places.waitingCount == 0)
    }

    @Test("who comes first gets the next place")
    func order() async throws {
        let places = ClickHousePlaces(1)
        let order = Order()
        var waiting: [Task<Void, any Error>] = []
        try await places.within {
            for number in 1...5 {
                waiting.append(Task { try await places.within { order.append(number) } })
                try await eventually("number \(number) waits") { places.waitingCount == number }
            }
        }
        for task in waiting { try await task.value }
        #expect(order.numbers == [1, 2, 3, 4, 5])
    }

    @Test("who is cancelled waits no longer, and its place goes to another")
    func cancellation() async throws {
        let places = ClickHousePlaces(1)
        try await places.within {
            let impatient = Task { try await places.within {} }
            try await eventually("it waits") { places.waitingCount == 1 }
            impatient.cancel()
            await #expect(throws: CancellationError.self) { try await impatient.value }
            #expect(places.waitingCount == 0)
        }
        try await places.within {}
    }

    @Test("a place is free again when what was done there failed")
    func failure() async throws {
        let places = ClickHousePlaces(1)
        await #expect(throws: HarnessError.self) { try await places.within { throw HarnessError("no") } }
        try await places.within {}
    }
}

/// How many are inside at once.
private final class Inside: Sendable {
    private let state = Mutex((now: 0, most: 0, visits: 0))

    var most: Int { state.withLock { $0.most } }
    var visits: Int { state.withLock { $0.visits } }

    func visit() async {
        state.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1), $0.visits + 1) }
        await Task.yield()
        state.withLock { $0.now -= 1 }
    }
}

/// In which order they came.
private final class Order: Sendable {
    private let state = Mutex<[Int]>([])

    var numbers: [Int] { state.withLock { $0 } }

    func append(_ number: Int) { state.withLock { $0.append(number) } }
}
