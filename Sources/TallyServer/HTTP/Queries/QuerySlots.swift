// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The slots in which queries run: `QueryGate` with tasks that wait.
final class QuerySlots: Sendable {
    private struct State {
        var gate: QueryGate
        var lastID: UInt64 = 0
        var waiting: [UInt64: CheckedContinuation<Bool, Never>] = [:]
    }

    private let state: Mutex<State>

    init(_ gate: QueryGate) { state = Mutex(State(gate: gate)) }

    var running: Int { state.withLock { $0.gate.running } }
    var waiting: Int { state.withLock { $0.gate.waitingCount } }

    /// A slot, as soon as one is free.
    /// - Throws: `TooManyQueries` when too many others wait; `CancellationError` when the task is cancelled while it waits.
    func take() async throws -> QuerySlot {
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        let runs = try await withTaskCancellationHandler {
            try await arrive(id)
        } onCancel: {
            giveUp(id)
        }
        guard runs else { throw CancellationError() }
        return QuerySlot(of: self)
    }

    /// - Returns: false when the task was cancelled.
    private func arrive(_ id: UInt64) async throws -> Bool {
        var isRefused = false
        let runs = await withCheckedContinuation { continuation in
            let decision = state.withLock { state -> QueryGate.Decision in
                // The handler of a task that was cancelled before has found nothing to give up.
                if Task.isCancelled { return .refuse }
                let decision = state.gate.arrived(id)
                if decision == .wait { state.waiting[id] = continuation }
                return decision
            }
            switch decision {
            case .run: continuation.resume(returning: true)
            case .wait: break
            case .refuse:
                isRefused = true
                continuation.resume(returning: false)
            }
        }
        if isRefused, !Task.isCancelled { throw TooManyQueries() }
        return runs
    }

    private func giveUp(_ id: UInt64) {
        let continuation = state.withLock { $0.gate.gaveUp(id) ? $0.waiting.removeValue(forKey: id) : nil }
        continuation?.resume(returning: false)
    }

    fileprivate func end() {
        let next = state.withLock { state in state.gate.ended().flatMap { state.waiting.removeValue(forKey: $0) } }
        next?.resume(returning: true)
    }
}

/// One query runs in it, until it is released or nothing holds it any more.
final class QuerySlot: Sendable {
    private let slots: QuerySlots
    private let isReleased = Atomic<Bool>(false)

    fileprivate init(of slots: QuerySlots) { self.slots = slots }

    func release() {
        if !isReleased.exchange(true, ordering: .relaxed) { slots.end() }
    }

    deinit { release() }
}

/// As many queries wait as may.
struct TooManyQueries: Error {}
