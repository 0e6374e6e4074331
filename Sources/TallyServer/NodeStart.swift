// SPDX-License-Identifier: Apache-2.0

import Logging
import TallyCore

/// Brings a node to the end of its log: with the store when it answers, else with the copy of its checkpoint, so that counting
/// doesn't wait for the store.
struct NodeStart {
    /// The store was away at the start.
    struct Absence: Sendable {
        let reason: String
        /// Must hold before anything is written to the store.
        let agreement: StoreAgreement
    }

    let aggregator: Aggregator
    let banners: BannerRegistry
    /// nil when the store answered.
    let absence: Absence?

    static func run(
        log: any EventLog, store: any CountStore, bannerStore: any BannerStore, copy: (any CheckpointCopy)?,
        configuration: CountingNode.Configuration, logger: Logger, progress: (LogOffset, LogOffset) -> Void
    ) async throws(StartError) -> NodeStart {
        func registry(_ known: [Banner]?) -> BannerRegistry {
            let directory = BannerDirectory(
                banners: known, limit: configuration.bannersLimit, textLimit: configuration.bannerTextLimit,
                onlyRegistered: configuration.onlyRegisteredBanners)
            return BannerRegistry(directory: directory, store: bannerStore, logger: logger)
        }
        let reason: String
        do throws(StartError) {
            let banners = registry(try await known(in: bannerStore))
            let aggregator = try await Replay.run(
                log: log, store: store, configuration: configuration.aggregator, progress: progress,
                noteBanners: banners.note)
            return NodeStart(aggregator: aggregator, banners: banners, absence: nil)
        } catch .store(.unavailable(let why)) {
            reason = why
        }
        guard let copy else { throw .store(.unavailable(reason)) }
        // A log that begins with its first chunk needs no checkpoint.
        let checkpoint = await copy.read(of: log.id) ?? .start
        let banners = registry(nil)
        do throws(StartError) {
            let end = try await end(of: log)
            let aggregator = try await Replay.run(
                log: log, store: store, from: checkpoint, configuration: configuration.aggregator, progress: progress,
                noteBanners: banners.note)
            let agreement = StoreAgreement(
                log: log.id, checkpoint: checkpoint, end: end, settings: configuration.aggregator.settings)
            return NodeStart(
                aggregator: aggregator, banners: banners, absence: Absence(reason: reason, agreement: agreement))
        } catch .storeBehindLog {
            // Only the store knows where to begin.
            throw .store(.unavailable(reason))
        }
    }

    private static func known(in store: any BannerStore) async throws(StartError) -> [Banner] {
        do throws(StoreError) { return try await store.banners() } catch { throw .store(error) }
    }

    private static func end(of log: any EventLog) async throws(StartError) -> LogOffset {
        do throws(LogError) { return try await log.end() } catch { throw .log(error) }
    }
}
