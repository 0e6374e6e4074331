// SPDX-License-Identifier: Apache-2.0

package import TallyCore

/// What became of a chunk that another node made.
package struct ChunkReceipt: Hashable, Sendable {
    package var receipt: Receipt
    /// The chunk was counted before, and is not counted again.
    package var duplicate: Bool

    package init(receipt: Receipt, duplicate: Bool) {
        self.receipt = receipt
        self.duplicate = duplicate
    }
}
