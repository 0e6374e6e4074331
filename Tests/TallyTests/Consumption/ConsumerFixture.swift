// SPDX-License-Identifier: Apache-2.0

import Logging
import ServiceLifecycle
import Testing

@testable import TallyCore
@testable import TallyServer

/// A process that counts partitions.
struct ConsumerFixture<Logs: PartitionedLog>: Sendable {
    let logs: Logs
    let group = ManualGroup()
    let banners: BannerRegistry
    let consumer: Consumer

    init(_ logs: Logs, store: any CountStore, bannerStore: any BannerStore = MemoryBannerStore()) {
        self.logs = logs
        banners = BannerRegistry(directory: BannerDirectory(), store: bannerStore)
        var configuration = CountingNode.Configuration()
        configuration.flushEvery = .seconds(3_600)
        consumer = Consumer(
            logs: logs, group: group, store: store, banners: banners, clock: ManualClock(), logger: .silent,
            configuration: configuration)
    }

    /// Runs it while the body runs.
    /// - Parameter crashes: nothing is flushed in the end.
    func run<Value: Sendable>(
        crashes: Bool = false, _ body: @Sendable (ConsumerFixture) async throws -> Value
    ) async throws -> Value {
        let services = ServiceGroup(services: [consumer], logger: .silent)
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                if crashes { await consumer.run() } else { try await services.run() }
            }
            let value = try await body(self)
            if crashes { tasks.cancelAll() } else { await services.triggerGracefulShutdown() }
            try await tasks.waitForAll()
            return value
        }
    }

    /// Waits until these partitions are counted up to the end of their logs, and no other.
    func waitUntilCounted(_ partitions: Set<Int>) async throws {
        try await eventually("\(partitions) are counted") {
            for view in consumer.views(in: .everything) {
                let end = try? await logs.log(of: view.partition).end()
                if view.behind != nil || view.position != end { return false }
            }
            return Set(consumer.views(in: .everything).map(\.partition)) == partitions
        }
    }

    /// Waits until the partition has a problem that holds these words.
    func waitForProblem(_ partition: Int, _ words: String) async throws {
        try await eventually("partition \(partition) says \(words)") {
            consumer.partitions.first { $0.partition == partition }?.problem?.contains(words) == true
        }
    }
}

extension Logger {
    static var silent: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}

extension PartitionedLog {
    /// Appends events of one process, each partition's as the next chunk of its node.
    func append(
        _ banner: Int64, count: Int64 = 1, sequence: UInt64, process: NodeID = SampleChunks.node,
        minute: Int64 = 28_899_960
    )
        async throws
    {
        let id = BannerID(banner)!
        let partition = partitioning.partition(of: id)
        let delta = Delta(banner: id, kind: 0, minute: Minute(sinceEpoch: minute)!, count: count)
        let chunk = Chunk(
            node: NodeID(process: process, partition: partition), sequence: sequence,
            time: Timestamp(milliseconds: minute * 60_000), kinds: [.click], deltas: [delta], identified: [])
        _ = try await log(of: partition).append([chunk])
    }

    var ids: [LogID] { (0..<partitioning.count).map { log(of: $0).id } }
}
