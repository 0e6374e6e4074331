// SPDX-License-Identifier: Apache-2.0

/// A chunk counts once under its name.
package struct ChunkName: Hashable, Sendable {
    package let node: NodeID
    package let sequence: UInt64

    package init(_ chunk: Chunk) { self.init(node: chunk.node, sequence: chunk.sequence) }

    package init(node: NodeID, sequence: UInt64) {
        self.node = node
        self.sequence = sequence
    }
}
