// SPDX-License-Identifier: Apache-2.0

import Logging
import ServiceLifecycle
import TallyCore

@testable import TallyServer

/// A process that lets events in, over brokers in memory, running while the body runs.
struct RemoteFixture {
    let logs: FaultyLogs
    var spool: (any EventLog)?
    var spoolLimit = 1 << 30
    var acknowledgement = Acknowledgement.quorum
    let clock = ManualClock()
    var configuration = CountingNode.Configuration()
    let bannerStore = MemoryBannerStore()
    static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    init(
        partitions: Int = 4, spool: (any EventLog)? = MemoryLog(id: LogID("spool")!),
        largestChunk: Int = Limits.chunkBytes
    ) {
        logs = FaultyLogs(partitions: partitions, largestChunk: largestChunk)
        self.spool = spool
    }

    func node(process: UInt128 = 0xA_0000) async throws -> RemoteNode {
        let limit = spoolLimit
        let delivery = try await LogDelivery(
            logs: logs, spool: spool.map { LogDelivery.Spool(log: $0, limit: limit) }, acknowledgement: acknowledgement,
            logger: Self.logger)
        let banners = await BannerRegistry.open(bannerStore, configuration)
        let clock = LogClock(clock, logTime: await logs.lastTime() ?? .epoch, maximumAhead: configuration.maxClockAhead)
        let ingest = RemoteIngest(
            process: NodeID(bits: process), delivery: delivery, banners: banners, clock: clock,
            configuration: configuration)
        return RemoteNode(
            log: "memory://brokers", clock: clock, banners: banners,
            refreshEvery: configuration.flushEvery, logger: Self.logger, ingest: ingest, reading: nil, roles: [.ingest])
    }

    /// - Parameter process: each start is another.
    func run<Value: Sendable>(
        process: UInt128 = 0xA_0000, _ body: @Sendable (RemoteNode) async throws -> Value
    ) async throws -> Value {
        let node = try await node(process: process)
        let group = ServiceGroup(services: node.services, logger: Self.logger)
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let value = try await body(node)
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            return value
        }
    }
}

extension RemoteNode {
    func count(_ banners: [Int64], id: String? = nil) async throws -> [Receipt] {
        var admitted = AdmittedEvents()
        for banner in banners { try admit(EventInput(banner: BannerID(banner)!, id: id), to: &admitted) }
        return try await record(admitted)
    }
}
