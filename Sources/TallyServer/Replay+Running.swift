// SPDX-License-Identifier: Apache-2.0

import TallyCore

extension Replay {
    /// How much of the log is read at once.
    private static let bytesPerRead = 8 << 20

    /// - Parameters:
    ///   - checkpoint: to begin at while the store is away, which is not asked then; nil for the store's own.
    ///   - didLoseIDs: told the offsets whose event ids can't be read any more; nil for a log that the process alone trims, which must
    ///     have them.
    ///   - progress: called with the offset that was read and the last one of the log.
    static func run(
        log: any EventLog, store: any CountStore, from checkpoint: Checkpoint? = nil,
        configuration: Aggregator.Configuration, didLoseIDs: ((Range<LogOffset>) -> Void)? = nil,
        progress: (LogOffset, LogOffset) -> Void, noteBanners: ([BannerID]) -> Void
    ) async throws(StartError) -> Aggregator {
        var replay = Replay(
            log: log.id, layout: store.layout, configuration: configuration, isTrimmedByOthers: didLoseIDs != nil)
        do {
            while true {
                switch replay.action {
                case .readCheckpoint where checkpoint != nil: replay.didRead(checkpoint: checkpoint)
                case .readCheckpoint: replay.didRead(checkpoint: try await store.checkpoint(of: log.id))
                case .readEnd: replay.didRead(end: try await log.end())
                case .read(let offset):
                    guard let end = replay.progress?.end else { preconditionFailure("the end was asked for before") }
                    do {
                        try await readOn(from: offset, to: end, in: log) { entries in
                            noteBanners(replay.didRead(entries))
                            while case .load(let keys) = replay.action {
                                if checkpoint != nil {
                                    replay.leaveUnloaded()
                                } else {
                                    replay.didLoad(try await store.rows(of: log.id, at: keys))
                                }
                            }
                            replay.progress.map { progress($0.position, $0.end) }
                            if case .read = replay.action { return true }
                            return false
                        }
                    } catch LogError.trimmed(let first) {
                        replay.didFindTrimmed(first: first)
                    }
                case .load: preconditionFailure("rows are loaded when a chunk has asked for them")
                case .finished:
                    if let lost = replay.lostIDs { didLoseIDs?(lost) }
                    return replay.finished()
                case .refuse(let error): throw error
                }
            }
        } catch let error as StoreError {
            throw .store(error)
        } catch let error as LogError {
            throw .log(error)
        } catch let error as StartError {
            throw error
        } catch {
            throw .log(.failed("\(error)"))
        }
    }

    /// Reads to the end of the log, the next entries while `take` is busy with those before: both cost about the same.
    /// - Parameters:
    ///   - end: the reader does not prefetch past this offset.
    ///   - take: is given `[]` where the log ends; returns whether to read on.
    private static func readOn(
        from offset: LogOffset, to end: LogOffset, in log: any EventLog, take: ([LogEntry]) async throws -> Bool
    ) async throws {
        var entries = try await log.read(from: offset, maximumBytes: bytesPerRead)
        while let last = entries.last, last.offset < end {
            try Task.checkCancellation()
            async let next = log.read(from: last.offset.next, maximumBytes: bytesPerRead)
            guard try await take(entries) else { return }
            entries = try await next
        }
        _ = try await take(entries)
    }
}
