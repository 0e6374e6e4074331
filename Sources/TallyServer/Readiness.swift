// SPDX-License-Identifier: Apache-2.0

/// Whether the process can accept events.
package enum Readiness: Equatable, Sendable {
    case ready
    case notReady(reasons: [String])
}
