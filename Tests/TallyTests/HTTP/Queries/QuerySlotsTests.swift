// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TallyServer

struct QuerySlotsTests {
    private let slots = QuerySlots(QueryGate(maximumRunning: 1, maximumWaiting: 1))

    @Test func `a slot is free again when it is released, and when nothing holds it`() async throws {
        let first = try await slots.take()
        first.release()
        first.release()
        #expect(slots.running == 0)
        do { _ = try await slots.take() }
        #expect(slots.running == 0)
    }

    @Test func `a task waits for a slot, and one more is refused`() async throws {
        let first = try await slots.take()
        let second = Task { try await slots.take() }
        while slots.waiting == 0 { await Task.yield() }
        await #expect(throws: TooManyQueries.self) { try await slots.take() }
        first.release()
        try await second.value.release()
        #expect(slots.running == 0 && slots.waiting == 0)
    }

    @Test func `a cancelled task waits no longer, and takes no slot`() async throws {
        let first = try await slots.take()
        let second = Task { try await slots.take() }
        while slots.waiting == 0 { await Task.yield() }
        second.cancel()
        await #expect(throws: CancellationError.self) { try await second.value }
        #expect(slots.waiting == 0)
        let late = Task {
            while !Task.isCancelled { await Task.yield() }
            return try await slots.take()
        }
        late.cancel()
        await #expect(throws: CancellationError.self) { try await late.value }
        first.release()
        #expect(slots.running == 0)
    }
}
