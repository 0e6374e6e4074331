// SPDX-License-Identifier: Apache-2.0

/// Decides which queries run now, which wait, and which are refused, so that at most `maximumRunning` run at a time. No I/O.
///
/// Waiting queries run in the order of their arrival.
struct QueryGate {
    enum Decision: Equatable {
        case run
        case wait
        case refuse
    }

    let maximumRunning: Int
    let maximumWaiting: Int
    private(set) var running = 0
    private var waiting: [UInt64] = []

    /// - Parameter maximumRunning: at least 1.
    init(maximumRunning: Int, maximumWaiting: Int) {
        precondition(maximumRunning >= 1 && maximumWaiting >= 0, "a gate lets some query run")
        self.maximumRunning = maximumRunning
        self.maximumWaiting = maximumWaiting
    }

    var waitingCount: Int { waiting.count }

    /// - Parameter id: of the query, never used before.
    mutating func arrived(_ id: UInt64) -> Decision {
        if running < maximumRunning {
            running += 1
            return .run
        }
        guard waiting.count < maximumWaiting else { return .refuse }
        waiting.append(id)
        return .wait
    }

    /// A running query has ended.
    /// - Returns: the waiting query that runs in its place.
    mutating func ended() -> UInt64? {
        precondition(running > 0, "only a running query ends")
        if waiting.isEmpty {
            running -= 1
            return nil
        }
        return waiting.removeFirst()
    }

    /// A query does not wait any longer.
    /// - Returns: false when it was not waiting any more: it runs.
    mutating func gaveUp(_ id: UInt64) -> Bool {
        guard let index = waiting.firstIndex(of: id) else { return false }
        waiting.remove(at: index)
        return true
    }
}
