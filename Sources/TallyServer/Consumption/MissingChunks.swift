// SPDX-License-Identifier: Apache-2.0

import Logging
import Synchronization
import TallyCore

/// The chunks that the logs of a process lack though they should have them: says each once in the log of the process.
final class MissingChunks: Sendable {
    private let logger: Logger
    private let reported = Mutex<[Int: [NodeID: SequenceRanges]]>([:])

    init(logger: Logger) { self.logger = logger }

    /// - Parameter missing: all that a reader of the partition lacks now.
    func note(_ missing: [NodeID: SequenceRanges], of log: LogID, partition: Int) {
        let new = reported.withLock { reported in
            var new: [NodeID: SequenceRanges] = [:]
            for (node, numbers) in missing {
                var unknown = numbers
                if let known = reported[partition]?[node] { unknown.subtract(known) }
                if !unknown.isEmpty { new[node] = unknown }
            }
            // What has arrived since, and is missing again, is said again.
            reported[partition] = missing
            return new
        }
        if new.isEmpty { return }
        logger.error(
            """
            the log lacks chunks that its servers have written: nothing of the partition is stored until they arrive. If they are lost, \
            confirm it: \(MissingChunks.command(partition: partition))
            """,
            metadata: [
                "log": "\(log)", "partition": "\(partition)",
                "chunks": "\(MissingChunks.names(new).joined(separator: " "))",
            ])
    }

    /// How an operator lists what is missing, and confirms that it is lost.
    static func command(partition: Int) -> String {
        "tally log confirm --partition \(partition), with this server's --log, --data and --store (docs/operations.md)"
    }

    /// Why counts are not stored; nil when nothing is missing.
    static func problem(_ missing: [NodeID: SequenceRanges], partition: Int) -> String? {
        if missing.isEmpty { return nil }
        let chunks = names(missing).joined(separator: " ")
        return "the log lacks the chunks \(chunks), so that nothing is stored; \(command(partition: partition))"
    }

    /// Such as `0123456789abcdef0123456789abcdef:7-9,12`, by node.
    static func names(_ missing: [NodeID: SequenceRanges]) -> [String] {
        missing.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value)" }
    }

    static func count(_ missing: [NodeID: SequenceRanges]) -> UInt64 { missing.values.reduce(0) { $0 + $1.count } }
}
