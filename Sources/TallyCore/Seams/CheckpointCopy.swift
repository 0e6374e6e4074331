// SPDX-License-Identifier: Apache-2.0

/// Keeps a log's last checkpoint beside the log, so that a start needs no store.
///
/// An older checkpoint is as right as the store's, as long as the log goes back to its `readFrom`: chunks behind it are counted
/// once more, and the higher offset wins. So it is written after the store has it, and before the log is trimmed.
package protocol CheckpointCopy: Sendable {
    /// - Returns: nil when there is none of this log, or none that can be read.
    func read(of log: LogID) async -> Checkpoint?
    /// Durable on return.
    func write(_ checkpoint: Checkpoint, of log: LogID) async throws(DiskError)
}
