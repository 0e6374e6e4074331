// SPDX-License-Identifier: Apache-2.0

/// An ordered sequence of chunks: the journal on disk, a partition of Kafka, a stream of JetStream.
///
/// What `append` has returned is never lost and never changes its offset. Offsets grow; they need not be consecutive.
/// Every implementation passes the suite in `Tests/TallyTests/Contracts/EventLogSuite.swift`.
package protocol EventLog: Sendable {
    var id: LogID { get }
    /// What it means that `append` has returned.
    var durability: Durability { get }

    /// Appends the chunks in this order, and returns when all of them are durable. A remote log may store some behind
    /// later ones, since what it did not acknowledge is sent again.
    ///
    /// - Returns: the offset of each chunk; ascending where the log is local. `[]` for no chunks.
    /// - Throws: `.refused` (none of the chunks is in the log, later it may work), `.unavailable` (none, some or all of
    ///   them may be in the log) or `.failed` (the same, and every later append fails too).
    func append(_ chunks: [Chunk]) async throws(LogError) -> [LogOffset]

    /// Reads in order, beginning with the first chunk whose offset is at least `offset`.
    ///
    /// An entry is returned only when every chunk between it and `offset` was returned, or is proven not to be part of the
    /// log. The one rule rests on it: a reader that skipped a chunk would replace right rows with wrong ones of a higher
    /// offset. It holds whatever other handles of the log append and trim meanwhile.
    ///
    /// - Parameter maximumBytes: about how much to read at once; a first chunk larger than this is returned all the same.
    /// - Returns: only durable chunks; `[]` at the end of the log.
    /// - Throws: `.trimmed` when chunks from `offset` on were dropped, also when that happens during the reading; `.damaged` when what was written can't be read back.
    func read(from offset: LogOffset, maximumBytes: Int) async throws(LogError) -> [LogEntry]

    /// The highest offset that was ever given out; `.none` when there never was one. Every chunk up to it is durable, or
    /// was trimmed, or is known to be lost.
    func end() async throws(LogError) -> LogOffset

    /// Permits the log to drop the chunks before `offset`. It may keep them: a journal drops whole segments.
    func trim(before offset: LogOffset) async throws(LogError)
}

/// A chunk and its place in the log.
package struct LogEntry: Equatable, Sendable {
    package let offset: LogOffset
    package let chunk: Chunk

    package init(offset: LogOffset, chunk: Chunk) {
        self.offset = offset
        self.chunk = chunk
    }
}

/// What survives when an append has returned.
package enum Durability: String, Sendable {
    /// A crash or power loss of this machine.
    case disk
    /// The loss of a machine: enough replicas hold it.
    case quorum
    /// Nothing: for tests.
    case memory
}

/// Why a log did not do it, by what the caller can do.
package enum LogError: Error, Equatable, Sendable {
    /// Certainly not done, and may work later: the disk is full.
    case refused(String)
    /// Perhaps done, and may work later: a broker did not answer.
    case unavailable(String)
    /// Perhaps done, and final for this process: a sync failed, so the state of the disk is unknown.
    case failed(String)
    /// The entries asked for were dropped; reading is possible from `first` on.
    case trimmed(first: LogOffset)
    /// What was durable can't be read back.
    case damaged(String)
}

extension LogError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .refused(let reason), .unavailable(let reason), .failed(let reason), .damaged(let reason): reason
        case .trimmed(let first): "the log begins at offset \(first); what stood before was dropped"
        }
    }
}
