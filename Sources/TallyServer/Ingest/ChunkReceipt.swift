// SPDX-License-Identifier: Apache-2.0

package import TallyCore

/// What became of a chunk that another node made.
package struct ChunkReceipt: Hashable, Sendable {
    /// One for each partition that its entries are in.
    package var receipts: [Receipt]
    /// The chunk was counted before, and is not counted again.
    package var duplicate: Bool

    package init(receipts: [Receipt], duplicate: Bool) {
        self.receipts = receipts
        self.duplicate = duplicate
    }
}
