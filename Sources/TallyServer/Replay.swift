// SPDX-License-Identifier: Apache-2.0

package import TallyCore

/// Brings an aggregator to the end of its log, from the checkpoint in the store.
package enum Replay {
    /// How much of the log is read at once.
    private static let bytesPerRead = 8 << 20

    /// - Parameter progress: called with the offset that was read and the last one of the log.
    package static func run(
        log: any EventLog, store: any CountStore, configuration: Aggregator.Configuration,
        progress: (LogOffset, LogOffset) -> Void, noteBanners: ([BannerID]) -> Void
    ) async throws(StartError) -> Aggregator {
        do {
            let checkpoint = try await store.checkpoint(of: log.id) ?? .start
            let end = try await log.end()
            if checkpoint.upTo > end {
                throw StartError.logBehindStore(log: log.id, end: end, checkpoint: checkpoint.upTo)
            }
            var aggregator = Aggregator(layout: store.layout, checkpoint: checkpoint, configuration: configuration)
            while true {
                let entries = try await log.read(from: aggregator.position.next, maximumBytes: bytesPerRead)
                if entries.isEmpty { break }
                for entry in entries { noteBanners(aggregator.apply(entry).banners) }
                try await load(into: &aggregator, from: store, log: log.id)
                progress(aggregator.position, end)
            }
            return aggregator
        } catch let error as StoreError {
            throw .store(error)
        } catch LogError.trimmed(let first) {
            throw .storeBehindLog(log: log.id, first: first)
        } catch let error as LogError {
            throw .log(error)
        } catch let error as StartError {
            throw error
        } catch {
            throw .log(.failed("\(error)"))
        }
    }

    private static func load(
        into aggregator: inout Aggregator, from store: any CountStore, log: LogID
    ) async throws(StoreError) {
        while aggregator.hasRowsToLoad {
            let keys = aggregator.takeKeysToLoad(most: 10_000)
            aggregator.resolve(keys, with: try await store.rows(of: log, at: keys))
        }
    }
}

/// Why the process can't begin to count.
package enum StartError: Error, Equatable, Sendable {
    case store(StoreError)
    case log(LogError)
    /// The store holds counts of chunks that the log doesn't have: the log was restored from an old copy, or lost its end.
    case logBehindStore(log: LogID, end: LogOffset, checkpoint: LogOffset)
    /// The log has dropped chunks that the store doesn't have: the store was lost, or restored from an old copy.
    case storeBehindLog(log: LogID, first: LogOffset)
}

extension StartError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .store(let error): error.description
        case .log(let error): error.description
        case .logBehindStore(let log, let end, let checkpoint):
            """
            the log \(log) ends at offset \(end), but the store holds its counts up to offset \(checkpoint): the log was \
            restored from an old copy, or lost its end. Put the newer log back, or begin a new one (move the journal's \
            directory away); the stored counts stay as they are
            """
        case .storeBehindLog(let log, let first):
            """
            the log \(log) begins at offset \(first), since everything before was in the store; but the store doesn't have \
            it: it was deleted, replaced, or restored from an old copy. Put back the store that belongs to this log
            """
        }
    }
}
