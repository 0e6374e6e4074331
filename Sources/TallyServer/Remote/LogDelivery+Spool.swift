// SPDX-License-Identifier: Apache-2.0

package import TallyCore

extension LogDelivery {
    /// Where chunks are kept that the log does not take.
    package struct Spool: Sendable {
        let log: any EventLog
        /// In bytes.
        let limit: Int

        package init(log: any EventLog, limit: Int) {
            self.log = log
            self.limit = limit
        }

        /// What is in it, and where it begins.
        func survey(_ partitioning: Partitioning) async throws(LogError) -> (account: SpoolAccount, first: LogOffset) {
            var account = SpoolAccount(limit: limit)
            var first: LogOffset?
            var next = LogOffset(1)
            while true {
                let entries = try await read(from: &next)
                guard let last = entries.last else { return (account, first ?? next) }
                first = first ?? entries.first?.offset
                if let foreign = entries.first(where: { $0.chunk.node.partition >= partitioning.count }) {
                    throw .damaged(
                        "the spool has a chunk for partition \(foreign.chunk.node.partition), and the log has "
                            + "\(partitioning.count): start with the log that it was written for")
                }
                account.add(entries.map(\.chunk))
                next = last.offset.next
            }
        }

        /// - Parameter offset: becomes the first that there is.
        private func read(from offset: inout LogOffset) async throws(LogError) -> [LogEntry] {
            do throws(LogError) {
                return try await log.read(from: offset, maximumBytes: LogDelivery.bytesPerRead)
            } catch .trimmed(let first) {
                offset = first
                return try await log.read(from: first, maximumBytes: LogDelivery.bytesPerRead)
            }
        }
    }
}
