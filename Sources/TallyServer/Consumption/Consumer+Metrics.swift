// SPDX-License-Identifier: Apache-2.0

import TallyCore

extension Consumer {
    /// How far each partition is, and what was done in all.
    func report(to registry: MetricsRegistry, partitions: Int) {
        for partition in 0..<partitions { report(partition, to: registry) }
        registry.reportCounted { self.statistics }
        registry.counter("tally_poisoned_messages_total", "Messages in the log that are no chunks to be counted there.")
        {
            Double(self.logs.poisonedMessages)
        }
        registry.reportStore { self.storeHealth }
    }

    private func report(_ partition: Int, to registry: MetricsRegistry) {
        let labels: MetricsRegistry.Labels = [("partition", "\(partition)")]
        func gauge(_ name: String, _ help: String, _ value: @escaping @Sendable (PartitionStatus) -> Double) {
            registry.gauge(name, help, labels: labels) {
                self.partitions.first { $0.partition == partition }.map(value) ?? 0
            }
        }
        gauge("tally_partition_assigned", "1 for the partitions that this server counts.") { _ in 1 }
        gauge("tally_partition_behind", "1 while a partition of this server is not counted up to its end.") {
            $0.problem == nil ? 0 : 1
        }
        gauge("tally_partition_position", "The last offset of the partition that is counted.") {
            Double($0.progress?.counted.value ?? 0)
        }
        gauge("tally_partition_stored", "The last offset of the partition that is in the store.") {
            Double($0.progress?.stored.value ?? 0)
        }
        gauge("tally_partition_lag", "How many chunks of the partition are in the log and not counted.") {
            Double($0.lag ?? 0)
        }
        registry.reportMissingChunks(partition: partition) {
            self.partitions.first { $0.partition == partition }?.progress?.missing ?? [:]
        }
    }
}
