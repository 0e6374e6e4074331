// SPDX-License-Identifier: Apache-2.0

/// The time of day. It may jump in both directions; nothing in the core assumes that it doesn't.
package protocol WallClock: Sendable {
    func now() -> Timestamp
    /// Milliseconds since the machine was started, with those in which it slept. It never jumps.
    func sinceBoot() -> Int64
}
