// SPDX-License-Identifier: Apache-2.0

#if Kafka

import CKafka
import Dispatch
import Glibc
import Synchronization

/// What librdkafka says went wrong.
struct KafkaFailure: Error, Equatable, Sendable {
    let code: Int32
    let text: String

    init(_ error: rd_kafka_resp_err_t, _ text: String? = nil) {
        code = error.rawValue
        self.text = text ?? String(cString: rd_kafka_err2str(error))
    }

    init(code: Int32 = -1, text: String) {
        self.code = code
        self.text = text
    }

    var isUnknownTopic: Bool {
        [RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC].map(\.rawValue).contains(code)
    }
    var isExistingTopic: Bool { code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS.rawValue }
    var isOffsetOutOfRange: Bool {
        [RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET, RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE].map(\.rawValue).contains(code)
    }
    /// The broker that is asked just now has lost the partition, or is away; librdkafka goes on trying.
    var isPassing: Bool { !isOffsetOutOfRange && !isUnknownTopic }
}

/// What became of a message.
enum KafkaDelivery: Equatable, Sendable {
    /// nil: it is there, but where is not known.
    case persisted(offset: Int64?)
    case notPersisted(KafkaFailure)
    case perhapsPersisted(KafkaFailure)
}

struct KafkaMessage: Sendable {
    let key: [UInt8]
    let value: [UInt8]
}

extension KafkaMessage: ChunkCarrier {
    var chunkName: String { String(decoding: key, as: UTF8.self) }
    var chunkBytes: [UInt8] { value }
}

/// What the next thing in a partition is.
enum KafkaFetched: Sendable {
    case message(offset: Int64, KafkaMessage)
    /// There is nothing from this offset on.
    case end(offset: Int64)
    case failure(KafkaFailure)
}

/// The files that touch librdkafka's pointers are this one, `KafkaProducer.swift` and `KafkaMembership.swift`.
///
/// One producer and one consumer for all partitions of a topic; librdkafka's own threads do the work, and one thread of ours
/// for each of the two hears what it reports. All functions may be called from any thread; those that block say so.
final class LibRDKafka: @unchecked Sendable {
    private struct Producing {
        var producer: KafkaProducer
        var replaced: ContinuousClock.Instant?
    }

    /// Where brokers refuse each new producer, replacing it at every append would only make threads and connections.
    private static let shortestLifeOfProducer = Duration.seconds(1)

    private let consumer: OpaquePointer
    let consumerTopic: OpaquePointer
    let topic: String
    private let properties: [String: String]
    private let problems = KafkaProblems()
    private let producing: Mutex<Producing>
    private let polling: DispatchQueue
    private let isClosed = Atomic<Bool>(false)
    private let hasEnded = DispatchSemaphore(value: 0)

    /// - Throws: when a property has a value that librdkafka doesn't know. Nothing is connected yet.
    init(topic: String, properties: [String: String]) throws(KafkaFailure) {
        self.topic = topic
        self.properties = properties
        let common = [
            "auto.offset.reset": "error", "enable.partition.eof": "true", "isolation.level": "read_uncommitted",
        ]
        consumer = try LibRDKafka.handle(RD_KAFKA_CONSUMER, properties.merging(common) { $1 }, problems)
        let producer: KafkaProducer
        do throws(KafkaFailure) {
            producer = try KafkaProducer(topic: topic, properties: properties, problems: problems)
        } catch {
            rd_kafka_destroy(consumer)
            throw error
        }
        producing = Mutex(Producing(producer: producer))
        consumerTopic = rd_kafka_topic_new(consumer, topic, nil)
        polling = DispatchQueue(label: "tally.kafka.consumer")
        polling.async { [self] in poll() }
    }

    static func handle(
        _ type: rd_kafka_type_t, _ properties: [String: String], _ problems: KafkaProblems,
        hearsRebalances: Bool = false
    ) throws(KafkaFailure) -> OpaquePointer {
        var text = [CChar](repeating: 0, count: 512)
        guard let configuration = rd_kafka_conf_new() else { throw KafkaFailure(text: "no memory") }
        // A producer's default is true: a question about an unknown topic would create it, with the broker's own number of
        // partitions and settings.
        let properties = properties.merging(["allow.auto.create.topics": "false"]) { $1 }
        for (key, value) in properties.sorted(by: { $0.key < $1.key }) {
            guard rd_kafka_conf_set(configuration, key, value, &text, text.count) == RD_KAFKA_CONF_OK else {
                rd_kafka_conf_destroy(configuration)
                throw KafkaFailure(text: string(text))
            }
        }
        // Its messages would go to standard error in a form of their own; `problems` has the last of them.
        rd_kafka_conf_set_log_cb(configuration, nil)
        rd_kafka_conf_set_opaque(configuration, Unmanaged.passUnretained(problems).toOpaque())
        rd_kafka_conf_set_error_cb(configuration) { _, code, reason, opaque in
            guard let opaque else { return }
            let reason = reason.map { String(cString: $0) }
            Unmanaged<KafkaProblems>.fromOpaque(opaque).takeUnretainedValue().note(
                reason ?? "error \(code)")
        }
        if hearsRebalances {
            rd_kafka_conf_set_rebalance_cb(configuration) { consumer, code, partitions, opaque in
                guard let opaque else { return }
                let problems = Unmanaged<KafkaProblems>.fromOpaque(opaque).takeUnretainedValue()
                KafkaMembership.rebalance(consumer, code, partitions, problems)
            }
        }
        if type == RD_KAFKA_PRODUCER {
            rd_kafka_conf_set_dr_msg_cb(configuration) { _, message, _ in KafkaProducer.report(message) }
        }
        guard let handle = rd_kafka_new(type, configuration, &text, text.count) else {
            rd_kafka_conf_destroy(configuration)
            throw KafkaFailure(text: string(text))
        }
        return handle
    }

    static func string(_ text: [CChar]) -> String {
        String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The last thing that went wrong with a connection; nil when nothing did.
    var lastProblem: String? { problems.last }

    // MARK: Hearing

    private func poll() {
        while !isClosed.load(ordering: .acquiring) { rd_kafka_poll(consumer, 100) }
        rd_kafka_topic_destroy(consumerTopic)
        rd_kafka_destroy(consumer)
        hasEnded.signal()
    }

    /// Blocks until all is let go of. Nothing may be called afterwards.
    func close() {
        guard isClosed.exchange(true, ordering: .acquiringAndReleasing) == false else { return }
        let producer = producing.withLock { $0.producer }
        producer.close()
        producer.waitUntilClosed()
        hasEnded.wait()
    }

    // MARK: Sending

    /// The producer to send with. A producer that brokers have fenced, that has lost its place in a partition, or that delivers nothing is
    /// replaced. What it has sent may still arrive, behind what the new one sends.
    func producer() throws(KafkaFailure) -> KafkaProducer {
        let result = producing.withLock { producing -> Result<KafkaProducer, KafkaFailure> in
            guard let problem = producing.producer.problem else { return .success(producing.producer) }
            let now = ContinuousClock.now
            if let last = producing.replaced, now - last < LibRDKafka.shortestLifeOfProducer {
                return .failure(KafkaFailure(text: problem))
            }
            do throws(KafkaFailure) {
                let new = try KafkaProducer(topic: topic, properties: properties, problems: problems)
                producing.producer.close()
                producing = Producing(producer: new, replaced: now)
                return .success(new)
            } catch { return .failure(error) }
        }
        return try result.get()
    }

    // MARK: Asking; everything here blocks

    /// - Returns: where the partition begins.
    func first(of partition: Int, within limit: Int32) throws(KafkaFailure) -> Int64 {
        try offset(Int64(RD_KAFKA_OFFSET_BEGINNING), of: partition, within: limit)
    }

    /// - Returns: where the next message will stand.
    func end(of partition: Int, within limit: Int32) throws(KafkaFailure) -> Int64 {
        try offset(Int64(RD_KAFKA_OFFSET_END), of: partition, within: limit)
    }

    /// A leader that is dead is asked in vain until librdkafka hears of its successor, so it is asked for a short time, then
    /// for longer ones, and who leads in between.
    private func offset(_ time: Int64, of partition: Int, within limit: Int32) throws(KafkaFailure) -> Int64 {
        let deadline = ContinuousClock.now + .milliseconds(limit)
        var patience: Int32 = 250
        while ContinuousClock.now + .milliseconds(patience) < deadline {
            if let offset = try? ask(time, of: partition, within: patience) { return offset }
            _ = try? shape(within: patience)
            patience *= 2
        }
        return try ask(time, of: partition, within: max(patience, Int32(clamping: (deadline - .now).milliseconds)))
    }

    /// Not `rd_kafka_query_watermark_offsets`: librdkafka 2.0 may wait for ever there when a broker dies meanwhile.
    /// This asks the same of the brokers, and heeds the limit.
    private func ask(_ time: Int64, of partition: Int, within limit: Int32) throws(KafkaFailure) -> Int64 {
        guard let places = rd_kafka_topic_partition_list_new(1) else { throw KafkaFailure(text: "no memory") }
        defer { rd_kafka_topic_partition_list_destroy(places) }
        rd_kafka_topic_partition_list_add(places, topic, Int32(partition)).pointee.offset = time
        try LibRDKafka.check(rd_kafka_offsets_for_times(consumer, places, limit))
        try LibRDKafka.check(places.pointee.elems.pointee.err)
        return places.pointee.elems.pointee.offset
    }

    /// - Returns: the number of the topic's partitions, and the smallest number of copies that one of them has.
    func shape(within limit: Int32) throws(KafkaFailure) -> KafkaTopicShape {
        var metadata: UnsafePointer<rd_kafka_metadata>?
        try LibRDKafka.check(rd_kafka_metadata(consumer, 0, consumerTopic, &metadata, limit))
        guard let metadata else { throw KafkaFailure(text: "no metadata") }
        defer { rd_kafka_metadata_destroy(metadata) }
        guard metadata.pointee.topic_cnt == 1, let topic = metadata.pointee.topics else {
            throw KafkaFailure(RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC)
        }
        try LibRDKafka.check(topic.pointee.err)
        let partitions = UnsafeBufferPointer(
            start: topic.pointee.partitions, count: Int(topic.pointee.partition_cnt))
        return KafkaTopicShape(
            partitions: partitions.count, replicas: partitions.map { Int($0.replica_cnt) }.min() ?? 0)
    }

    /// - Returns: the number of the brokers.
    func brokers(within limit: Int32) throws(KafkaFailure) -> Int {
        var metadata: UnsafePointer<rd_kafka_metadata>?
        try LibRDKafka.check(rd_kafka_metadata(consumer, 1, nil, &metadata, limit))
        guard let metadata else { throw KafkaFailure(text: "no metadata") }
        defer { rd_kafka_metadata_destroy(metadata) }
        return Int(metadata.pointee.broker_cnt)
    }

    func clusterID(within limit: Int32) -> String? {
        guard let text = rd_kafka_clusterid(consumer, limit) else { return nil }
        defer { rd_kafka_mem_free(consumer, text) }
        return String(cString: text)
    }

    func createTopic(
        partitions: Int, replicas: Int, settings: [String: String], within limit: Int32
    ) throws(KafkaFailure) {
        var text = [CChar](repeating: 0, count: 512)
        guard
            let new = rd_kafka_NewTopic_new(topic, Int32(partitions), Int32(replicas), &text, text.count)
        else { throw KafkaFailure(text: LibRDKafka.string(text)) }
        defer { rd_kafka_NewTopic_destroy(new) }
        for (key, value) in settings.sorted(by: { $0.key < $1.key }) {
            rd_kafka_NewTopic_set_config(new, key, value)
        }
        var topics: [OpaquePointer?] = [new]
        try administer(RD_KAFKA_ADMIN_OP_CREATETOPICS, within: limit) { options, queue in
            rd_kafka_CreateTopics(consumer, &topics, 1, options, queue)
        } read: { (event) throws(KafkaFailure) in
            var count = 0
            guard
                let results = rd_kafka_CreateTopics_result_topics(
                    rd_kafka_event_CreateTopics_result(event), &count),
                count == 1
            else { throw KafkaFailure(text: "no answer about the topic") }
            let reason = rd_kafka_topic_result_error_string(results[0]).map { String(cString: $0) }
            try LibRDKafka.check(rd_kafka_topic_result_error(results[0]), reason)
        }
    }

    /// - Returns: every setting of the topic.
    func topicSettings(within limit: Int32) throws(KafkaFailure) -> [String: String] {
        guard let resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic) else {
            throw KafkaFailure(text: "no memory")
        }
        defer { rd_kafka_ConfigResource_destroy(resource) }
        var resources: [OpaquePointer?] = [resource]
        var settings: [String: String] = [:]
        try administer(RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, within: limit) { options, queue in
            rd_kafka_DescribeConfigs(consumer, &resources, 1, options, queue)
        } read: { (event) throws(KafkaFailure) in
            settings = try LibRDKafka.settings(in: event)
        }
        return settings
    }

    private static func settings(in event: OpaquePointer) throws(KafkaFailure) -> [String: String] {
        var count = 0
        guard
            let found = rd_kafka_DescribeConfigs_result_resources(
                rd_kafka_event_DescribeConfigs_result(event), &count), count == 1
        else { throw KafkaFailure(text: "no answer about the topic") }
        try check(rd_kafka_ConfigResource_error(found[0]))
        var entries = 0
        var settings: [String: String] = [:]
        let configurations = rd_kafka_ConfigResource_configs(found[0], &entries)
        for index in 0..<entries {
            guard let entry = configurations?[index], let value = rd_kafka_ConfigEntry_value(entry) else {
                continue
            }
            settings[String(cString: rd_kafka_ConfigEntry_name(entry))] = String(cString: value)
        }
        return settings
    }

    private func administer(
        _ operation: rd_kafka_admin_op_t, within limit: Int32, ask: (OpaquePointer, OpaquePointer) -> Void,
        read: (OpaquePointer) throws(KafkaFailure) -> Void
    ) throws(KafkaFailure) {
        guard let queue = rd_kafka_queue_new(consumer),
            let options = rd_kafka_AdminOptions_new(consumer, operation)
        else { throw KafkaFailure(text: "no memory") }
        defer { rd_kafka_queue_destroy(queue) }
        defer { rd_kafka_AdminOptions_destroy(options) }
        rd_kafka_AdminOptions_set_request_timeout(options, limit, nil, 0)
        ask(options, queue)
        guard let event = rd_kafka_queue_poll(queue, limit + 1_000) else {
            throw KafkaFailure(RD_KAFKA_RESP_ERR__TIMED_OUT)
        }
        defer { rd_kafka_event_destroy(event) }
        let reason = rd_kafka_event_error_string(event).map { String(cString: $0) }
        try LibRDKafka.check(rd_kafka_event_error(event), reason)
        try read(event)
    }

    private static func check(_ error: rd_kafka_resp_err_t, _ text: String? = nil) throws(KafkaFailure) {
        if error != RD_KAFKA_RESP_ERR_NO_ERROR { throw KafkaFailure(error, text) }
    }

    func fetch(of partition: Int) -> KafkaFetch { KafkaFetch(library: self, partition: Int32(partition)) }

    // MARK: Fetching; for `KafkaFetch`

    func begin(_ partition: Int32, at offset: Int64) throws(KafkaFailure) -> OpaquePointer {
        guard let queue = rd_kafka_queue_new(consumer) else { throw KafkaFailure(text: "no memory") }
        guard rd_kafka_consume_start_queue(consumerTopic, partition, offset, queue) == 0 else {
            let failure = KafkaFailure(rd_kafka_last_error())
            rd_kafka_queue_destroy(queue)
            throw failure
        }
        return queue
    }

    func end(_ partition: Int32, _ queue: OpaquePointer) {
        rd_kafka_consume_stop(consumerTopic, partition)
        rd_kafka_queue_destroy(queue)
    }

    /// The end of the partition as the last answer of a broker had it; nil before there was one.
    func knownEnd(of partition: Int32) -> Int64? {
        var (low, high): (Int64, Int64) = (-1, -1)
        let error = rd_kafka_get_watermark_offsets(consumer, topic, partition, &low, &high)
        return error == RD_KAFKA_RESP_ERR_NO_ERROR && high >= 0 ? high : nil
    }
}

/// The last thing that a connection reported.
final class KafkaProblems: Sendable {
    private let text = Mutex<String?>(nil)
    /// All partitions that the group gives to this process.
    let didAssign: @Sendable (Set<Int>) -> Void
    /// The group takes all of them back, for the moment at least.
    let didRevoke: @Sendable () -> Void

    init(
        didAssign: @escaping @Sendable (Set<Int>) -> Void = { _ in }, didRevoke: @escaping @Sendable () -> Void = {}
    ) {
        self.didAssign = didAssign
        self.didRevoke = didRevoke
    }

    var last: String? { text.withLock { $0 } }

    func note(_ problem: String) { text.withLock { $0 = problem } }
}

#endif
