// SPDX-License-Identifier: Apache-2.0

#if Kafka

import CKafka
import Dispatch
import Synchronization

/// A producer of librdkafka that sends to the partitions of one topic, and the thread that hears what became of its messages.
/// All functions may be called from any thread.
final class KafkaProducer: @unchecked Sendable {
    private let handle: OpaquePointer
    private let topic: OpaquePointer
    private let problems: KafkaProblems
    /// Held while a message is handed over, since nothing may reach the handle once its thread has let go of it.
    private let isClosed = Mutex(false)
    private let hasEnded = DispatchSemaphore(value: 0)
    private let health = Mutex(ProducerHealth())

    /// - Throws: when a property has a value that librdkafka doesn't know. Nothing is connected yet.
    init(topic: String, properties: [String: String], problems: KafkaProblems) throws(KafkaFailure) {
        let own = ["acks": "all", "enable.idempotence": "true"]
        handle = try LibRDKafka.handle(RD_KAFKA_PRODUCER, properties.merging(own) { $1 }, problems)
        self.topic = rd_kafka_topic_new(handle, topic, nil)
        self.problems = problems
        DispatchQueue(label: "tally.kafka.producer").async { [self] in poll() }
    }

    private func poll() {
        while !isClosed.withLock({ $0 }) { rd_kafka_poll(handle, 100) }
        // What still waits is answered.
        rd_kafka_purge(handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
        while rd_kafka_outq_len(handle) > 0 { rd_kafka_poll(handle, 10) }
        rd_kafka_topic_destroy(topic)
        rd_kafka_destroy(handle)
        hasEnded.signal()
    }

    /// Sends nothing more; what was not answered is answered soon. Returns at once.
    func close() { isClosed.withLock { $0 = true } }

    /// Blocks; once, after `close`.
    func waitUntilClosed() { hasEnded.wait() }

    /// Why another is to take its place; nil while it may go on.
    var problem: String? { fatalProblem ?? health.withLock { $0.problem(at: .now) } }

    /// Why it can't go on; nil while it can.
    var fatalProblem: String? {
        isClosed.withLock { isClosed -> String? in
            if isClosed { return "the producer is closed" }
            var text = [CChar](repeating: 0, count: 512)
            guard rd_kafka_fatal_error(handle, &text, text.count) != RD_KAFKA_RESP_ERR_NO_ERROR else { return nil }
            return LibRDKafka.string(text)
        }
    }

    // MARK: Sending

    /// Sends messages to a partition in this order, and tells `done` what became of each.
    func send(_ messages: [KafkaMessage], to partition: Int, done: @escaping @Sendable ([KafkaDelivery]) -> Void) {
        let pending = PendingDeliveries(count: messages.count) { [self] deliveries in
            health.withLock { $0.note(deliveries, at: .now) }
            done(deliveries)
        }
        var refusal: KafkaFailure?
        for (index, message) in messages.enumerated() {
            if refusal == nil { refusal = send(message, to: partition, Slot(pending: pending, index: index)) }
            // Those behind one that could not be sent would be out of order.
            if let refusal { pending.report(.notPersisted(refusal), of: index) }
        }
    }

    /// - Returns: why it was not sent; nil when it was handed over.
    private func send(_ message: KafkaMessage, to partition: Int, _ slot: Slot) -> KafkaFailure? {
        isClosed.withLock { isClosed in
            if isClosed { return KafkaFailure(text: "the producer is closed") }
            let opaque = Unmanaged.passRetained(slot)
            let result = message.value.withUnsafeBytes { value in
                message.key.withUnsafeBytes { key in
                    rd_kafka_produce(
                        topic, Int32(partition), RD_KAFKA_MSG_F_COPY,
                        UnsafeMutableRawPointer(mutating: value.baseAddress), value.count, key.baseAddress, key.count,
                        opaque.toOpaque())
                }
            }
            if result == 0 { return nil }
            opaque.release()
            return KafkaFailure(rd_kafka_last_error())
        }
    }

    static func report(_ message: UnsafePointer<rd_kafka_message_t>?) {
        guard let message, let opaque = message.pointee._private else { return }
        let slot = Unmanaged<Slot>.fromOpaque(opaque).takeRetainedValue()
        let (error, offset) = (message.pointee.err, message.pointee.offset)
        let failure = KafkaFailure(error)
        let delivery: KafkaDelivery =
            switch rd_kafka_message_status(message) {
            case RD_KAFKA_MSG_STATUS_PERSISTED: .persisted(offset: offset >= 0 ? offset : nil)
            case RD_KAFKA_MSG_STATUS_NOT_PERSISTED: .notPersisted(failure)
            default: .perhapsPersisted(failure)
            }
        slot.pending.report(delivery, of: slot.index)
    }
}

/// One message of a call of `send`, on its way.
private final class Slot: Sendable {
    let pending: PendingDeliveries
    let index: Int

    init(pending: PendingDeliveries, index: Int) {
        self.pending = pending
        self.index = index
    }
}

/// What became of the messages of one call of `send` so far.
private final class PendingDeliveries: Sendable {
    private let deliveries: Mutex<[KafkaDelivery?]>
    private let done: @Sendable ([KafkaDelivery]) -> Void

    init(count: Int, done: @escaping @Sendable ([KafkaDelivery]) -> Void) {
        deliveries = Mutex(Array(repeating: nil, count: count))
        self.done = done
    }

    func report(_ delivery: KafkaDelivery, of index: Int) {
        let all = deliveries.withLock { deliveries -> [KafkaDelivery]? in
            deliveries[index] = delivery
            let known = deliveries.compactMap { $0 }
            return known.count == deliveries.count ? known : nil
        }
        all.map(done)
    }
}

#endif
