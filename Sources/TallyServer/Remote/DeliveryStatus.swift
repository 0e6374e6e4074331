// SPDX-License-Identifier: Apache-2.0

package import TallyCore

/// How events come to a remote log, in numbers.
package struct DeliveryStatus: Equatable, Sendable {
    package var acknowledgement: Acknowledgement
    /// Why the log does not take them; nil while it does.
    package var problem: String?
    /// Nothing that comes now would be made durable.
    package var isStuck = false
    /// What lies in the spool, and the log does not have.
    package var spooledChunks = 0
    package var spooledBytes = 0
    /// Since the start.
    package var spooledChunksInAll = 0
    package var forwardedChunks = 0

    package init(acknowledgement: Acknowledgement) { self.acknowledgement = acknowledgement }
}
