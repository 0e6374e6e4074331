// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Knows what the server may say. It sees requests and answers and nothing of how they were made.
final class CrashAuditor: Sendable {
    private struct Ledger {
        /// What got a 2xx. Ids are counted once.
        var acknowledged = 0
        /// Sent, and not acknowledged: it may or may not have been counted.
        var unanswered = 0
    }

    private struct State {
        var ledgers: [Int: Ledger] = [:]
        var acknowledgedIDs: Set<String> = []
        var unansweredIDs: Set<String> = []
        var requestsAnswered = 0
        var complaints: [String] = []
        var waiters: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }

    /// One event of a request.
    struct Event {
        let banner: Int
        /// Nil when it is never sent again.
        let id: String?
        let count: Int
    }

    private let state = Mutex(State())

    func willSend(_ events: [Event]) {
        state.withLock { state in
            for event in events {
                if let id = event.id {
                    guard !state.acknowledgedIDs.contains(id), state.unansweredIDs.insert(id).inserted else { continue }
                }
                state.ledgers[event.banner, default: Ledger()].unanswered += event.count
            }
        }
    }

    func wasAcknowledged(_ events: [Event]) {
        state.withLock { state in
            for event in events {
                if let id = event.id {
                    guard state.unansweredIDs.remove(id) != nil else { continue }
                    state.acknowledgedIDs.insert(id)
                }
                state.ledgers[event.banner, default: Ledger()].unanswered -= event.count
                state.ledgers[event.banner, default: Ledger()].acknowledged += event.count
            }
            state.requestsAnswered += 1
            for waiter in state.waiters where waiter.count <= state.requestsAnswered { waiter.continuation.resume() }
            state.waiters.removeAll { $0.count <= state.requestsAnswered }
        }
    }

    /// Something that must not happen, whatever is killed.
    func complain(_ complaint: String) {
        state.withLock { state in
            state.complaints.append(complaint)
            for waiter in state.waiters { waiter.continuation.resume() }
            state.waiters = []
        }
    }

    var complaints: [String] { state.withLock { $0.complaints } }

    var requestsAnswered: Int { state.withLock { $0.requestsAnswered } }

    var banners: [Int] { state.withLock { $0.ledgers.keys.sorted() } }

    /// Between what was acknowledged and that with everything whose answer was lost.
    func allowed(_ banner: Int) -> ClosedRange<Int> {
        state.withLock { state in
            let ledger = state.ledgers[banner] ?? Ledger()
            return ledger.acknowledged...(ledger.acknowledged + ledger.unanswered)
        }
    }

    /// Returns when so many requests are answered, or something is to be complained of.
    func waitForRequestsAnswered(_ count: Int) async {
        await withCheckedContinuation { continuation in
            state.withLock { state in
                if count <= state.requestsAnswered || !state.complaints.isEmpty {
                    continuation.resume()
                } else {
                    state.waiters.append((count, continuation))
                }
            }
        }
    }
}
