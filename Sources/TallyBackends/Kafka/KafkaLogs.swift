// SPDX-License-Identifier: Apache-2.0

#if Kafka

import Glibc
package import TallyCore

/// A Kafka topic: each partition is a log. One producer and one consumer serve all of them.
package final class KafkaLogs: PartitionedLog {
    package let partitioning: Partitioning
    private let poisoned: PoisonedMessages
    private let url: KafkaURL
    private let library: LibRDKafka
    private let logs: [KafkaLog]
    private let executor: BlockingExecutor

    /// Connects, and creates the topic when there is none and it may.
    ///
    /// - Parameter checksPartitions: chunks that belong to another partition than theirs are passed over.
    package static func open(
        _ url: KafkaURL, makes: Bool = true, poisoned: PoisonedMessages = PoisonedMessages(),
        checksPartitions: Bool = true
    ) async throws(LogError) -> KafkaLogs {
        let executor = BlockingExecutor()
        return try await executor.run { () throws(LogError) -> KafkaLogs in
            let library: LibRDKafka
            do throws(KafkaFailure) {
                let properties = url.properties.merging(["bootstrap.servers": url.servers]) { $1 }
                library = try LibRDKafka(topic: url.topic, properties: properties)
            } catch {
                throw .refused("librdkafka: \(error.text)")
            }
            do throws(LogError) {
                return try KafkaLogs(url, makes, library, executor, poisoned, checksPartitions)
            } catch {
                library.close()
                throw error
            }
        }
    }

    private init(
        _ url: KafkaURL, _ makes: Bool, _ library: LibRDKafka, _ executor: BlockingExecutor,
        _ poisoned: PoisonedMessages,
        _ checksPartitions: Bool
    ) throws(LogError) {
        let patience = Int32(url.properties["message.timeout.ms"] ?? "") ?? 10_000
        let count: Int
        do throws(KafkaFailure) {
            count = try KafkaLogs.findOrMake(url, makes, library, patience)
        } catch {
            let last = library.lastProblem.map { "; last: \($0)" } ?? ""
            throw .unavailable("\(url): \(error.text)\(last)")
        }
        guard let partitioning = Partitioning(count: count) else {
            throw .refused("the topic \(url.topic) has \(count) partitions; allowed are 1 to \(Limits.partitions)")
        }
        guard url.partitions == nil || url.partitions == count else {
            throw .refused(
                "the topic \(url.topic) has \(count) partitions, not \(url.partitions ?? 0). Say partitions=\(count), "
                    + "or nothing; more are made with kafka-topics.sh --alter --partitions (docs/logs.md)")
        }
        let cluster = library.clusterID(within: patience).map { "\($0)/" } ?? ""
        logs = try (0..<count).map { (partition) throws(LogError) in
            guard let id = LogID("kafka:\(cluster)\(url.topic)/\(partition)") else {
                throw .refused("the cluster's id \(cluster) is too long, or has other characters than a log's name")
            }
            return KafkaLog(
                id: id, partition: partition, library: library, patience: .milliseconds(patience),
                poisoned: poisoned, checksPartition: checksPartitions)
        }
        self.partitioning = partitioning
        self.poisoned = poisoned
        self.url = url
        self.library = library
        self.executor = executor
    }

    /// Creates the topic, when that is allowed, before any question about it: a broker may answer a question about an unknown
    /// topic by creating it with partitions and settings of its own.
    /// - Returns: the number of partitions.
    private static func findOrMake(
        _ url: KafkaURL, _ makes: Bool, _ library: LibRDKafka, _ patience: Int32
    ) throws(KafkaFailure) -> Int {
        let refusal = makes ? try create(url, library, patience) : nil
        let end = ContinuousClock.now + .milliseconds(patience)
        while true {
            do throws(KafkaFailure) {
                return try library.shape(within: patience).partitions
            } catch {
                guard error.isUnknownTopic else { throw error }
                if let refusal { throw refusal }
                // A broker hears of a new topic a little later than the one that created it.
                guard makes, ContinuousClock.now < end else { throw error }
                usleep(20_000)
            }
        }
    }

    /// - Returns: why the brokers refuse to create the topic, which may exist all the same; nil when it exists.
    /// - Throws: when no broker answers.
    private static func create(
        _ url: KafkaURL, _ library: LibRDKafka, _ patience: Int32
    ) throws(KafkaFailure) -> KafkaFailure? {
        var replicas = url.replicas ?? KafkaTopic.replicasWhenMade
        while true {
            do throws(KafkaFailure) {
                try library.createTopic(
                    partitions: url.partitions ?? KafkaURL.partitionsWhenMade, replicas: replicas,
                    settings: KafkaTopic.settings(replicas: replicas), within: patience)
                return nil
            } catch {
                if error.isExistingTopic { return nil }
                guard error.isRefusal else { throw error }
                // The number of brokers is asked for only when it matters: the answer names every topic of the cluster.
                guard error.isInvalidReplication, url.replicas == nil else { return error }
                let possible = KafkaTopic.replicas(brokers: try library.brokers(within: patience))
                guard possible < replicas else { return error }
                replicas = possible
            }
        }
    }

    package var poisonedMessages: Int { poisoned.count }

    package func log(of partition: Int) -> any EventLog { logs[partition] }

    package func join(_ partitions: Set<Int>?) async throws(LogError) -> any PartitionGroup {
        if let partitions { return FixedPartitions(partitions) }
        return try KafkaGroup(url)
    }

    package func warnings(_ needs: LogNeeds) async -> [String] {
        let (library, url) = (library, url)
        return await executor.run {
            do throws(KafkaFailure) {
                let shape = try library.shape(within: 5_000)
                return KafkaTopic.warnings(
                    try library.topicSettings(within: 5_000), shape: shape, url: url, needs: needs)
            } catch {
                return [
                    "the settings of the topic \(url.topic) could not be read and were not checked: \(error.text)"
                ]
            }
        }
    }

    package func close() async {
        for log in logs { await log.close() }
        let library = library
        await executor.run { library.close() }
    }
}

#endif
