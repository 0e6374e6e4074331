// SPDX-License-Identifier: Apache-2.0

/// What must be true of events before a server with a remote log answers for them.
package enum Acknowledgement: String, CaseIterable, Sendable {
    /// The brokers have them; while they are away, the spool.
    case quorum
    /// The spool has them; they are forwarded to the brokers behind the answer.
    case disk
}
