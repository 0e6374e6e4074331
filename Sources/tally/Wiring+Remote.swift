// SPDX-License-Identifier: Apache-2.0

import Logging
import TallyBackends
import TallyCore
import TallyServer

/// A server whose log is on servers of its own.
extension Wiring {
    static func serveRemoteLog(
        _ directory: DataDirectory, _ store: any Store, _ configuration: ServerConfiguration, _ logger: Logger
    ) async throws {
        let logs = try await openWhenThere(configuration.log, logger)
        let needs = LogNeeds(
            deduplicationWindow: configuration.deduplicationWindow, flushEvery: configuration.flushEvery)
        for warning in await logs.warnings(needs) { logger.warning("\(warning)") }
        let settings = CountingNode.Configuration(configuration)
        let clock = LogClock(
            SystemClock(), logTime: await logs.lastTime() ?? .epoch, maximumAhead: settings.maxClockAhead)
        let banners = await BannerRegistry.open(store, settings, logger: logger)
        let ingest =
            configuration.roles.contains(.ingest)
            ? try await openIngest(logs, banners, clock, settings, configuration, logger) : nil
        let reading =
            configuration.roles == [.ingest]
            ? nil : try await openCounts(logs, store, banners, clock, settings, configuration, logger)
        let node = RemoteNode(
            log: "\(configuration.log)", clock: clock, banners: banners,
            refreshEvery: settings.flushEvery, logger: logger, ingest: ingest, reading: reading,
            roles: configuration.roles)
        try await Server(node: node, configuration: configuration, logger: logger).run()
        await logs.close()
    }

    /// A start during an outage waits for its end. What is in the spool waits, too, and nothing new is let in.
    private static func openWhenThere(_ url: LogURL, _ logger: Logger) async throws -> any PartitionedLog {
        let poisoned = PoisonedMessages { logger.warning("\($0)") }
        var failures = 0
        while true {
            if let logs = try await openIfThere(url, poisoned, logger) { return logs }
            failures += 1
            try await Task.sleep(for: Backoff.delay(failures: min(failures, 5), jitter: .random(in: 0...1)))
        }
    }

    /// - Returns: nil when it does not answer.
    private static func openIfThere(
        _ url: LogURL, _ poisoned: PoisonedMessages, _ logger: Logger
    ) async throws -> (any PartitionedLog)? {
        do {
            guard let logs = try await openRemoteLogs(url, makes: true, poisoned: poisoned) else {
                preconditionFailure("the journal is no remote log")
            }
            return logs
        } catch LogError.unavailable(let reason) {
            logger.warning("waiting for the log", metadata: ["log": "\(url)", "error": "\(reason)"])
            return nil
        }
    }

    private static func openCounts(
        _ logs: any PartitionedLog, _ store: any Store, _ banners: BannerRegistry,
        _ clock: LogClock, _ settings: CountingNode.Configuration, _ configuration: ServerConfiguration,
        _ logger: Logger
    ) async throws -> RemoteCounts {
        let sharing = configuration.sharing
        var consumer: Consumer?
        if configuration.roles.contains(.aggregate) {
            var partitions: Set<Int>?
            if case .some(let chosen) = sharing.partitions { partitions = chosen }
            consumer = Consumer(
                logs: logs, group: try await logs.join(partitions), store: store, banners: banners,
                clock: clock, logger: logger, configuration: settings)
        }
        let aggregators =
            sharing.aggregators.isEmpty
            ? nil : Aggregators(sharing.aggregators.map { ($0.host, $0.port) }, layout: configuration.layout)
        return RemoteCounts(
            logs: logs, consumer: consumer, aggregators: aggregators, store: store,
            clock: clock, late: settings.acceptLate, rowsLimit: settings.queryRowsLimit, identity: randomIdentity(),
            readyWithin: sharing.readyWithin, idRanges: { banners.idRanges(of: $0) })
    }

    private static func openIngest(
        _ logs: any PartitionedLog, _ banners: BannerRegistry, _ clock: LogClock,
        _ settings: CountingNode.Configuration,
        _ configuration: ServerConfiguration, _ logger: Logger
    ) async throws -> RemoteIngest {
        let spool = configuration.sharing.spools ? try await openSpool(configuration) : nil
        let delivery = try await LogDelivery(
            logs: logs, spool: spool, acknowledgement: configuration.sharing.acknowledgement, logger: logger)
        return RemoteIngest(
            process: randomIdentity(), delivery: delivery, banners: banners, clock: clock,
            configuration: settings)
    }

    /// A spool is trimmed by whole segments, and what is left in it is sent again after a start. So its segments are small.
    private static let spoolSegmentBytes = 4 << 20

    /// A data directory of its own, so that the tools for journals work on it.
    private static func openSpool(_ configuration: ServerConfiguration) async throws -> LogDelivery.Spool {
        let directory = try DataDirectory(path: "\(configuration.data)/spool")
        let journal = try await openJournal(
            in: directory, segmentBytes: min(configuration.segmentSize, spoolSegmentBytes))
        return LogDelivery.Spool(log: journal, limit: configuration.sharing.spoolLimit)
    }
}
