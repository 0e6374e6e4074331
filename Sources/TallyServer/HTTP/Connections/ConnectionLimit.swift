// SPDX-License-Identifier: Apache-2.0

/// Decides which connections a server takes, so that a part of its open files is left for everything else. A value without
/// I/O: the owner says what happens, and closes what has to be closed.
struct ConnectionLimit {
    enum Verdict: Equatable {
        case admit
        /// It is answered that there are too many connections, and closed.
        case refuse
        /// It is closed without an answer, since enough of them are being answered.
        case drop
    }

    /// As many are being refused at most; each of them is an open file, too.
    static let maximumRefusals = 32

    let maximum: Int
    private(set) var open = 0
    private(set) var refused = 0

    /// - Parameter maximum: of connections at a time.
    init(maximum: Int) { self.maximum = maximum }

    /// A connection has begun.
    /// - Parameter closeIdle: closes another that is idle; false when none is. That one is open until `ended` says so.
    mutating func began(closeIdle: () -> Bool) -> Verdict {
        if open < maximum || closeIdle() {
            open += 1
            return .admit
        }
        guard refused < ConnectionLimit.maximumRefusals else { return .drop }
        refused += 1
        return .refuse
    }

    /// A connection that got this verdict is closed.
    mutating func ended(_ verdict: Verdict) {
        switch verdict {
        case .admit:
            precondition(open > 0, "no more connections end than began")
            open -= 1
        case .refuse:
            precondition(refused > 0, "no more refusals end than began")
            refused -= 1
        case .drop: break
        }
    }
}
