// SPDX-License-Identifier: Apache-2.0

/// Whether the process can accept events.
package enum Readiness: Equatable, Sendable {
    case ready
    /// It accepts them, and keeps them in the log; something else doesn't work.
    case counting(butNot: String)
    case notReady(reasons: [String])
}
