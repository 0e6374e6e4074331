// SPDX-License-Identifier: Apache-2.0

#if PostgreSQL

import TallyCore

/// Why PostgreSQL did not do it.
enum PostgreSQLFailure: Error {
    /// There is no connection, or it broke: perhaps done.
    case disconnected(String)
    /// No answer came in time, so that the connection was given up: perhaps done.
    case timedOut(Duration)
    /// The server said no, and nothing of the statement was done.
    case refused(state: String, message: String)
    /// Something in the tables can't be what tally wrote.
    case damage(String)

    /// Two writers stood in each other's way, and this one was sent back: it works when it is done again.
    var isCollision: Bool {
        guard case .refused(let state, _) = self else { return false }
        return state == "40001" || state == "40P01"
    }
}

extension StoreError {
    init(_ failure: PostgreSQLFailure, of store: PostgreSQLURL) {
        switch failure {
        case .disconnected(let why): self = .unavailable("the store \(store) does not answer: \(why)")
        case .timedOut(let limit): self = .unavailable("the store \(store) did not answer within \(limit)")
        case .damage(let what): self = .damaged("the store \(store) is damaged: \(what)")
        case .refused(let state, let message):
            let text = "the store \(store) refused: \(message) (SQLSTATE \(state))"
            self = StoreError.mayPass(state) ? .unavailable(text) : .damaged(text)
        }
    }

    /// Whether time, or an administrator of the database, may cure it: connections, permissions, resources, collisions,
    /// operators that intervene, and what does not exist yet; but not data that can't be read.
    private static func mayPass(_ state: String) -> Bool {
        let classes = ["08", "0L", "25", "28", "3D", "3F", "40", "53", "54", "55", "57", "58", "XX"]
        if state == "XX001" || state == "XX002" { return false }
        return state == "42501" || classes.contains { state.hasPrefix($0) }
    }
}

#endif
