// SPDX-License-Identifier: Apache-2.0

/// The proof that events are durable: where they are, and what survives.
package struct Receipt: Hashable, Sendable {
    package var log: LogID
    /// Covers all of them.
    package var offset: LogOffset
    package var durability: Durability

    package init(log: LogID, offset: LogOffset, durability: Durability) {
        self.log = log
        self.offset = offset
        self.durability = durability
    }
}
