// SPDX-License-Identifier: Apache-2.0

import Logging
import ServiceLifecycle
import TallyBackends
import TallyCore
import TallyServer

/// The one place that chooses backends.
enum Wiring {
    /// Runs a server until it is told to stop.
    static func serve(_ configuration: ServerConfiguration) async throws {
        let logger = ServerLogging.logger(configuration)
        do {
            let directory = try DataDirectory(path: configuration.data)
            let store = try openStore(configuration.store, layout: configuration.layout)
            if configuration.log == .journal {
                let journal = try await openJournal(in: directory, segmentBytes: configuration.segmentSize)
                let copy = CheckpointFile(in: directory)
                let node = try await startNode(log: journal, store: store, copy: copy, configuration, logger)
                try await Server(node: node, configuration: configuration, logger: logger).run()
            } else {
                try await serveRemoteLog(directory, store, configuration, logger)
            }
            try await store.close()
            logger.info("stopped")
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw CommandFailure.failed("\(error)")
        }
    }

    static func openJournal(
        in directory: DataDirectory, segmentBytes: Int
    ) async throws -> JournalLog {
        guard let settings = JournalSettings(segmentBytes: segmentBytes) else {
            throw CommandFailure.usage([JournalSettings.allowed])
        }
        let progress = SharedProgress(label: "recovering the journal")
        defer { progress.clear() }
        return try await JournalLog.open(in: directory, settings: settings, newIdentity: randomIdentity()) {
            done, total in
            progress.update(Int64(done), of: Int64(total))
        }
    }

    private static func startNode(
        log: JournalLog, store: any Store, copy: CheckpointFile, _ configuration: ServerConfiguration, _ logger: Logger
    ) async throws(StartError) -> CountingNode {
        let progress = SharedProgress(label: "counting what the journal holds", unit: .things("chunks"))
        defer { progress.clear() }
        return try await CountingNode(
            log: log, node: log.identity, lastSequence: await log.lastSequence, store: store, bannerStore: store,
            checkpointCopy: copy, clock: SystemClock(), logger: logger,
            configuration: CountingNode.Configuration(configuration), commitExecutor: log.executor
        ) { offset, end in
            progress.update(offset.value, of: end.value)
        }
    }

    static func randomIdentity() -> NodeID { NodeID(bits: .random(in: 1 ... .max)) }
}

extension CountingNode.Configuration {
    init(_ configuration: ServerConfiguration) {
        self.init()
        aggregator = Aggregator.Configuration(
            window: configuration.deduplicationWindow, windowLimit: configuration.deduplicationLimit,
            lateMinutes: configuration.acceptLate.components.seconds / 60, seed: .random(in: 0 ... .max))
        flushEvery = configuration.flushEvery
        acceptEarly = configuration.acceptEarly.components.seconds / 60
        maxClockAhead = configuration.maxClockAhead
        retention = configuration.retention
        bannersLimit = configuration.maxBanners
        bannerTextLimit = configuration.maxBannerText
        nodesLimit = configuration.maxNodes
        queryRowsLimit = configuration.maxQueryRows
        kinds = configuration.kinds
        onlyRegisteredBanners = configuration.banners == .registered
    }
}
