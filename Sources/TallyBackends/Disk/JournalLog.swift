// SPDX-License-Identifier: Apache-2.0

package import TallyCore

/// The journal of a data directory as a log, with a thread of its own for the disk.
package actor JournalLog: EventLog {
    package nonisolated let id: LogID
    /// The journal's, and its own node's.
    package nonisolated let identity: NodeID
    package nonisolated let durability = Durability.disk
    /// The thread that blocks while the disk works.
    package nonisolated let executor: BlockingExecutor
    private let journal: Journal
    /// Keeps other processes out as long as the journal is open.
    private let directory: DataDirectory

    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Recovers the journal, or makes one when there is none.
    ///
    /// - Parameters:
    ///   - newIdentity: becomes the identity if a journal is made; random, since it must never have been used before.
    ///   - progress: is told how many bytes of the journal were read, of how many.
    package static func open(
        in directory: DataDirectory, settings: JournalSettings = .default, newIdentity: NodeID,
        progress: @escaping @Sendable (Int, Int) -> Void = { _, _ in }
    ) async throws(JournalError) -> JournalLog {
        let executor = BlockingExecutor()
        let journal = try await executor.run { () throws(JournalError) -> Journal in
            let disk: RealDisk
            do throws(DiskError) {
                disk = try RealDisk(path: directory.journalPath)
            } catch {
                throw .unavailable("the journal can't be used: \(error)")
            }
            return try Journal.open(
                on: disk, place: JournalPlace(dataDirectory: directory.path), settings: settings,
                newIdentity: newIdentity, progress: progress)
        }
        return JournalLog(journal: journal, executor: executor, directory: directory)
    }

    private init(journal: sending Journal, executor: BlockingExecutor, directory: DataDirectory) {
        id = journal.id
        identity = journal.identity
        self.executor = executor
        self.journal = journal
        self.directory = directory
    }

    package func append(_ chunks: [Chunk]) async throws(LogError) -> [LogOffset] { try journal.append(chunks) }

    package func read(from offset: LogOffset, maximumBytes: Int) async throws(LogError) -> [LogEntry] {
        try journal.read(from: offset, maximumBytes: maximumBytes)
    }

    package func end() async throws(LogError) -> LogOffset { journal.lastOffset }

    package func trim(before offset: LogOffset) async throws(LogError) { try journal.trim(before: offset) }

    /// The sequence of the last chunk that this journal's own node has in it; 0 when there is none.
    package var lastSequence: UInt64 { journal.lastSequence }
}
