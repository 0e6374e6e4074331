// SPDX-License-Identifier: Apache-2.0

#if Kafka

import CKafka
import Dispatch
import Synchronization
import TallyCore

/// This process in a consumer group of Kafka, and nothing else: it is told which partitions are its own, and says how far
/// they are stored. The partitions are read elsewhere; here they are paused.
final class KafkaMembership: @unchecked Sendable {
    private let consumer: OpaquePointer
    private let topic: String
    private let problems: KafkaProblems
    private let polling = DispatchQueue(label: "tally.kafka.group")
    private let isClosed = Atomic<Bool>(false)
    private let hasEnded = DispatchSemaphore(value: 0)

    /// - Parameter problems: also hears of the partitions.
    init(topic: String, group: String, properties: [String: String], problems: KafkaProblems) throws(KafkaFailure) {
        self.topic = topic
        self.problems = problems
        let own = [
            "group.id": group, "partition.assignment.strategy": "range", "enable.auto.commit": "false",
            "enable.auto.offset.store": "false",
        ]
        consumer = try LibRDKafka.handle(
            RD_KAFKA_CONSUMER, properties.merging(own) { $1 }, problems, hearsRebalances: true)
        rd_kafka_poll_set_consumer(consumer)
        guard let topics = rd_kafka_topic_partition_list_new(1) else { throw KafkaFailure(text: "no memory") }
        defer { rd_kafka_topic_partition_list_destroy(topics) }
        rd_kafka_topic_partition_list_add(topics, topic, -1)
        let error = rd_kafka_subscribe(consumer, topics)
        guard error == RD_KAFKA_RESP_ERR_NO_ERROR else {
            rd_kafka_destroy(consumer)
            throw KafkaFailure(error)
        }
        polling.async { [self] in poll() }
    }

    /// The member is taken for alive only while somebody does this.
    private func poll() {
        while !isClosed.load(ordering: .acquiring) {
            if let message = rd_kafka_consumer_poll(consumer, 100) { rd_kafka_message_destroy(message) }
        }
        rd_kafka_consumer_close(consumer)
        rd_kafka_destroy(consumer)
        hasEnded.signal()
    }

    /// Hears of each new sharing out; on the thread that polls.
    static func rebalance(
        _ consumer: OpaquePointer?, _ error: rd_kafka_resp_err_t,
        _ partitions: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?, _ problems: KafkaProblems
    ) {
        guard error == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS, let partitions else {
            rd_kafka_assign(consumer, nil)
            return problems.didRevoke()
        }
        var mine: Set<Int> = []
        for index in 0..<Int(partitions.pointee.cnt) {
            // Nothing is read here, so that it doesn't matter where that would begin.
            partitions.pointee.elems[index].offset = Int64(RD_KAFKA_OFFSET_END)
            mine.insert(Int(partitions.pointee.elems[index].partition))
        }
        rd_kafka_assign(consumer, partitions)
        rd_kafka_pause_partitions(consumer, partitions)
        problems.didAssign(mine)
    }

    /// Blocks nothing; nobody hears whether it was done.
    func commit(_ offset: Int64, of partition: Int) {
        guard !isClosed.load(ordering: .acquiring), let list = rd_kafka_topic_partition_list_new(1) else { return }
        defer { rd_kafka_topic_partition_list_destroy(list) }
        rd_kafka_topic_partition_list_add(list, topic, Int32(partition))?.pointee.offset = offset
        rd_kafka_commit(consumer, list, 1)
    }

    /// What the group knows of a partition, for those who look at it; nil when nothing was committed. Blocks.
    func committed(_ partition: Int, within limit: Int32) -> Int64? {
        guard let list = rd_kafka_topic_partition_list_new(1) else { return nil }
        defer { rd_kafka_topic_partition_list_destroy(list) }
        let place = rd_kafka_topic_partition_list_add(list, topic, Int32(partition))
        guard rd_kafka_committed(consumer, list, limit) == RD_KAFKA_RESP_ERR_NO_ERROR, let place else { return nil }
        return place.pointee.offset >= 0 ? place.pointee.offset : nil
    }

    /// Blocks until the others can have the partitions.
    func leave() {
        guard isClosed.exchange(true, ordering: .acquiringAndReleasing) == false else { return }
        hasEnded.wait()
    }
}

#endif
