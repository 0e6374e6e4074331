// SPDX-License-Identifier: Apache-2.0

#if Kafka

import CKafka

/// Reads a partition from an offset on; librdkafka reads ahead. For one thread at a time.
final class KafkaFetch {
    private let library: LibRDKafka
    private let partition: Int32
    private var queue: OpaquePointer?
    /// Waits to be taken by `next`.
    private var ahead: KafkaFetched?

    init(library: LibRDKafka, partition: Int32) {
        self.library = library
        self.partition = partition
    }

    /// Blocks for as long as it takes to forget what was read ahead.
    func begin(at offset: Int64) throws(KafkaFailure) {
        end()
        queue = try library.begin(partition, at: offset)
    }

    func end() {
        queue.map { library.end(partition, $0) }
        queue = nil
        ahead = nil
    }

    /// Something is there that `next` will give at once.
    var hasNext: Bool { ahead != nil }

    /// It is a message, or a failure that doesn't pass by itself.
    var nextIsMessage: Bool {
        switch ahead {
        case .message: true
        case .failure(let failure): !failure.isPassing
        case .end, nil: false
        }
    }

    func dropNext() { ahead = nil }

    /// Blocks until `next` has something to give.
    /// - Returns: false when nothing comes within so many milliseconds.
    func waitForNext(within limit: Int32) -> Bool {
        if ahead == nil { ahead = fetch(within: limit) }
        return ahead != nil
    }

    var knownEnd: Int64? { library.knownEnd(of: partition) }

    /// Blocks; nil when nothing comes within so many milliseconds.
    func next(within limit: Int32) -> KafkaFetched? {
        guard let ahead else { return fetch(within: limit) }
        self.ahead = nil
        return ahead
    }

    private func fetch(within limit: Int32) -> KafkaFetched? {
        guard let queue, let message = rd_kafka_consume_queue(queue, limit) else { return nil }
        defer { rd_kafka_message_destroy(message) }
        let offset = message.pointee.offset
        switch message.pointee.err {
        case RD_KAFKA_RESP_ERR_NO_ERROR:
            let key = KafkaFetch.bytes(message.pointee.key, message.pointee.key_len)
            let value = KafkaFetch.bytes(message.pointee.payload, message.pointee.len)
            return .message(offset: offset, KafkaMessage(key: key, value: value))
        case RD_KAFKA_RESP_ERR__PARTITION_EOF: return .end(offset: offset)
        case let error: return .failure(KafkaFailure(error))
        }
    }

    private static func bytes(_ pointer: UnsafeMutableRawPointer?, _ count: Int) -> [UInt8] {
        pointer.map { [UInt8](UnsafeRawBufferPointer(start: $0, count: count)) } ?? []
    }
}

#endif
