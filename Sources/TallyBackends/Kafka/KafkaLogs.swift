// SPDX-License-Identifier: Apache-2.0

#if Kafka

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

    /// The question about the topic does not create it: `LibRDKafka.handle` forbids that to the brokers.
    /// - Returns: the number of partitions.
    private static func findOrMake(
        _ url: KafkaURL, _ makes: Bool, _ library: LibRDKafka, _ patience: Int32
    ) throws(KafkaFailure) -> Int {
        do throws(KafkaFailure) {
            return try library.shape(within: patience).partitions
        } catch {
            guard makes, error.isUnknownTopic else { throw error }
        }
        let replicas = KafkaTopic.replicas(asked: url.replicas, brokers: try library.brokers(within: patience))
        do throws(KafkaFailure) {
            try library.createTopic(
                partitions: url.partitions ?? KafkaURL.partitionsWhenMade, replicas: replicas,
                settings: KafkaTopic.settings(replicas: replicas), within: patience)
        } catch {
            // Another server was faster.
            guard error.isExistingTopic else { throw error }
        }
        // All brokers hear of it soon.
        let end = ContinuousClock.now + .milliseconds(patience)
        while true {
            do throws(KafkaFailure) {
                return try library.shape(within: patience).partitions
            } catch {
                guard error.isUnknownTopic, ContinuousClock.now < end else { throw error }
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
