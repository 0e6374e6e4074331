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

    /// What the spool is good for now.
    package enum Spool: Equatable, Sendable {
        case open
        /// It holds as much as it may.
        case full
        /// There is none.
        case none
    }

    /// What a spool answers that is full.
    package static let fullSpool = LogError.refused("the log does not answer, and the spool is full (--spool-limit)")

    private let chunks: [Chunk]
    /// What was not tried yet.
    private var maySend = true
    private var maySpool: Bool
    /// Somebody may have the chunks without having said so: their numbers must never be used again.
    private var isPerhapsDone = false
    package private(set) var action: Action

    /// - Parameters:
    ///   - isLogAway: as the forwarder knows it.
    ///   - spool: without one a commit fails when its log is away, and so it does when it is full.
    package init(_ chunks: [Chunk], isLogAway: Bool, spool: Spool, acknowledgement: Acknowledgement = .quorum) {
        self.chunks = chunks
        maySpool = spool == .open
        if isLogAway, spool == .full {
            // Nobody waits for a log that is away; the forwarder, which has enough to send, tells when it is back.
            action = .finish(.failure(Delivery.fullSpool), .disk)
        } else if maySpool, isLogAway || acknowledgement == .disk {
            action = .spool(chunks)
        } else {
            action = .send(chunks)
        }
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
