// SPDX-License-Identifier: Apache-2.0

/// How much lies in a spool that the log does not have yet, so that an outage of the brokers fills no disk.
package struct SpoolAccount: Sendable {
    /// In bytes of encoded chunks. The commit that reaches it is still taken.
    package let limit: Int
    package private(set) var bytes = 0
    package private(set) var chunks = 0

    package init(limit: Int) { self.limit = limit }

    package var isFull: Bool { bytes >= limit }

    /// Before they are appended to the spool, since the forwarder may be faster than its answer.
    /// - Returns: false when the spool is full: then they must not be appended.
    package mutating func admit(_ chunks: [Chunk]) -> Bool {
        if isFull { return false }
        add(chunks)
        return true
    }

    /// They were found in the spool.
    package mutating func add(_ chunks: [Chunk]) {
        self.chunks += chunks.count
        bytes += SpoolAccount.bytes(of: chunks)
    }

    /// The log has them, or the spool has refused them.
    package mutating func remove(_ chunks: [Chunk]) {
        self.chunks -= chunks.count
        bytes -= SpoolAccount.bytes(of: chunks)
        precondition(bytes >= 0 && self.chunks >= 0, "only what was added is removed")
    }

    private static func bytes(of chunks: [Chunk]) -> Int { chunks.reduce(0) { $0 + $1.encoded().count } }
}
