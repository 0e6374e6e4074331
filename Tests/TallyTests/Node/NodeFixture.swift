// SPDX-License-Identifier: Apache-2.0

import Logging
import ServiceLifecycle
import TallyCore
import TallyServer

/// A node over memory, running while the body runs; what it leaves in the log and the store outlives it.
struct NodeFixture {
    let log: any EventLog
    let store: MemoryStore
    let bannerStore: any BannerStore
    let clock = ManualClock()
    /// Instead of `store`, where a test needs another.
    var otherStore: (any CountStore)?
    var checkpointCopy: (any CheckpointCopy)?
    var configuration = CountingNode.Configuration()
    var logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    init(
        layout: Layout = .minute, log: any EventLog = MemoryLog(id: LogID("memory")!),
        bannerStore: any BannerStore = MemoryBannerStore(), store: MemoryStore? = nil
    ) {
        self.bannerStore = bannerStore
        self.store = store ?? MemoryStore(layout: layout)
        self.log = log
        configuration.flushEvery = .seconds(3_600)
    }

    /// - Parameter flushAtEnd: false leaves the log ahead of the store, as a crash does.
    func run<Value: Sendable>(
        flushAtEnd: Bool = true, _ body: @Sendable (CountingNode) async throws -> Value
    ) async throws -> Value {
        let node = try await CountingNode(
            log: log, node: NodeID(bits: 1), lastSequence: 0, store: otherStore ?? store, bannerStore: bannerStore,
            checkpointCopy: checkpointCopy, clock: clock,
            logger: logger, configuration: configuration)
        let group = ServiceGroup(
            services: node.services, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let value = try await body(node)
            if !flushAtEnd { store.outage = .unavailable("the test pulled the plug") }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            store.outage = nil
            return value
        }
    }
}

extension CountingNode {
    func count(
        banner: Int64, kind: Kind = .click, time: Timestamp? = nil, count: Int64 = 1, id: String? = nil,
        backfill: Bool = false
    ) async throws -> Receipt {
        let input = EventInput(banner: BannerID(banner)!, kind: kind, time: time, count: count, id: id)
        var admitted = AdmittedEvents(backfill: backfill)
        try admit(input, to: &admitted)
        return try await record(admitted)[0]
    }

    func append(_ chunk: Chunk) async throws -> ChunkReceipt { try await append(try admit(chunk)) }

    func total(banner: Int64) async throws -> Int64 {
        try await totals(in: RowRange(banners: [BannerID(banner)!], minutes: .first ... .last)).value.reduce(0) {
            $0 + $1.count
        }
    }
}
