// SPDX-License-Identifier: Apache-2.0

/// Whether the process can do what it is for: accept events, or answer with what was counted.
package enum Readiness: Equatable, Sendable {
    case ready
    /// It does that; something else doesn't work.
    case counting(butNot: String)
    case notReady(reasons: [String])
}
