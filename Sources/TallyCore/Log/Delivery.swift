// SPDX-License-Identifier: Apache-2.0

/// The way of one commit to durability when its log is remote: into the log or, when that does not answer, into the spool
/// on the disk of this machine. While the log is known to be away the spool comes first.
///
/// No I/O: the owner does what `action` says and reports back.
package struct Delivery: Sendable {
    package enum Action: Equatable, Sendable {
        /// Append the chunks to the log, and call `didSend`.
        case send([Chunk])
        /// Append the chunks to the spool, and call `didSpool`.
        case spool([Chunk])
        /// Tell `PartitionedCommit.finish`.
        case finish(Result<[LogOffset], LogError>, Durability)
    }

    private let chunks: [Chunk]
    /// What was not tried yet.
    private var maySend = true
    private var maySpool: Bool
    /// Somebody may have the chunks without having said so: their numbers must never be used again.
    private var isPerhapsDone = false
    package private(set) var action: Action

    /// - Parameters:
    ///   - isLogAway: as the forwarder knows it.
    ///   - hasSpool: without a spool a commit fails when its log is away.
    package init(_ chunks: [Chunk], isLogAway: Bool, hasSpool: Bool) {
        self.chunks = chunks
        maySpool = hasSpool
        action = isLogAway && hasSpool ? .spool(chunks) : .send(chunks)
    }

    package mutating func didSend(_ result: Result<[LogOffset], LogError>) {
        maySend = false
        goOn(result, .quorum)
    }

    package mutating func didSpool(_ result: Result<[LogOffset], LogError>) {
        maySpool = false
        goOn(result, .disk)
    }

    private mutating func goOn(_ result: Result<[LogOffset], LogError>, _ durability: Durability) {
        guard case .failure(let error) = result else {
            action = .finish(result, durability)
            return
        }
        if case .refused = error {} else { isPerhapsDone = true }
        if maySend {
            action = .send(chunks)
        } else if maySpool {
            action = .spool(chunks)
        } else {
            // Never `.failed`: a spool that has failed does not keep chunks from a log that comes back.
            let reason = error.description
            action = .finish(.failure(isPerhapsDone ? .unavailable(reason) : .refused(reason)), durability)
        }
    }
}
