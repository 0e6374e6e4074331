// SPDX-License-Identifier: Apache-2.0

#if Kafka

package import TallyCore

/// One partition of a Kafka topic. One message is one chunk; Kafka's offset o is o + 1 here.
///
/// Reading blocks, on a thread of this partition; appending waits for the brokers' answer and blocks nothing.
package actor KafkaLog: WaitingLog {
    package nonisolated let id: LogID
    package nonisolated let durability = Durability.quorum
    private nonisolated let partition: Int
    private nonisolated let library: LibRDKafka
    private nonisolated let executor: BlockingExecutor
    private let fetch: KafkaFetch
    /// How long a reading or a question may take.
    private let patience: Duration
    private var reading = LogReading<KafkaMessage>()
    private var decoder: EntryDecoder

    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    init(
        id: LogID, partition: Int, library: LibRDKafka, patience: Duration, poisoned: PoisonedMessages,
        checksPartition: Bool
    ) {
        self.id = id
        self.partition = partition
        self.library = library
        self.patience = patience
        decoder = EntryDecoder(log: id, partition: checksPartition ? partition : nil, poisoned: poisoned)
        executor = BlockingExecutor()
        fetch = library.fetch(of: partition)
    }

    // MARK: Appending

    package nonisolated func append(_ chunks: [Chunk]) async throws(LogError) -> [LogOffset] {
        if chunks.isEmpty { return [] }
        let producer: KafkaProducer
        do throws(KafkaFailure) { producer = try library.producer() } catch {
            throw .unavailable("Kafka's producer can't go on: \(error.text)")
        }
        let messages = chunks.map { chunk in
            KafkaMessage(key: Array(ChunkMessage.name(of: chunk).utf8), value: chunk.encoded())
        }
        let deliveries = await withCheckedContinuation { continuation in
            producer.send(messages, to: partition) { continuation.resume(returning: $0) }
        }
        return try KafkaOutcome.offsets(of: deliveries, fatal: producer.fatalProblem)
    }

    // MARK: Reading

    package func read(from offset: LogOffset, maximumBytes: Int) async throws(LogError) -> [LogEntry] {
        let deadline = ContinuousClock.now + patience
        reading.request(from: offset)
        if !reading.needsConsumer, fetch.nextIsMessage { reading.didNoticeMessage() }
        while true {
            switch reading.action {
            case .give:
                let entries = try decoder.take(from: &reading, maximumBytes: maximumBytes)
                if !entries.isEmpty { return entries }
            case .end: return []
            case .trimmed(let first): throw .trimmed(first: first)
            case .askBounds: reading.didLearn(try bounds())
            case .begin(let position): try begin(at: position, until: deadline)
            case .fetch: try fetchMore(maximumBytes: maximumBytes, until: deadline)
            }
        }
    }

    private func begin(at position: LogOffset, until deadline: ContinuousClock.Instant) throws(LogError) {
        guard ContinuousClock.now < deadline else {
            throw unavailable(KafkaFailure(text: "what follows offset \(position) was not sent"))
        }
        do throws(KafkaFailure) { try fetch.begin(at: KafkaOffset.kafka(position)) } catch { throw unavailable(error) }
        reading.didBegin()
    }

    /// Waits for a first message, and takes those that come with it.
    private func fetchMore(maximumBytes: Int, until deadline: ContinuousClock.Instant) throws(LogError) {
        var found: [LogReading<KafkaMessage>.Item] = []
        var bytes = 0
        while found.isEmpty || bytes < maximumBytes {
            // Something must be there, or the end; what is read ahead already comes at once.
            let wait = found.isEmpty ? max(0, (deadline - .now).milliseconds) : 0
            switch fetch.next(within: Int32(wait)) {
            case .message(let offset, let message):
                found.append((KafkaOffset.log(offset), message))
                bytes += message.value.count
            case .end:
                // An older end may have been noticed before more was appended.
                if !found.isEmpty || reading.action != .fetch { return note(found) }
            case .failure(let failure) where failure.isPassing: continue
            case .failure(let failure):
                note(found)
                return try fail(failure)
            case nil:
                if !found.isEmpty { return note(found) }
                throw unavailable(KafkaFailure(text: "no broker has sent anything"))
            }
        }
        note(found)
    }

    private func note(_ found: [LogReading<KafkaMessage>.Item]) {
        if !found.isEmpty { reading.didFetch(found) }
    }

    /// The consumer can't go on: the bounds of the log tell why.
    private func fail(_ failure: KafkaFailure) throws(LogError) {
        reading.didFail()
        let bounds = try bounds()
        if reading.position < bounds.first { return }
        guard failure.isOffsetOutOfRange else { throw unavailable(failure) }
        throw .damaged(
            "\(id) ends at offset \(bounds.last), and did not: it was deleted and made again, or its brokers have lost its end"
        )
    }

    /// Long-polls the partition behind its end.
    package func wait(for offset: LogOffset, within limit: Duration) async {
        reading.request(from: offset)
        guard reading.canWait else { return }
        let deadline = ContinuousClock.now + limit
        if reading.needsConsumer {
            guard (try? fetch.begin(at: KafkaOffset.kafka(reading.position))) != nil else { return }
            reading.didBegin()
        }
        while fetch.waitForNext(within: Int32(max(0, (deadline - .now).milliseconds))), ContinuousClock.now < deadline {
            // What is wrong the next reading says.
            if fetch.nextIsMessage { return }
            // The end, or a broker that is away for a moment.
            fetch.dropNext()
        }
    }

    package func end() async throws(LogError) -> LogOffset { LogOffset(try findEnd()) }

    private func findEnd() throws(LogError) -> Int64 {
        do throws(KafkaFailure) {
            return try library.end(of: partition, within: Int32(patience.milliseconds))
        } catch { throw unavailable(error) }
    }

    private func bounds() throws(LogError) -> LogBounds {
        let end = try findEnd()
        // Behind the end nothing is to be read, wherever the log begins.
        guard reading.position <= LogOffset(end) else {
            return LogBounds(first: LogOffset(end).next, last: LogOffset(end), absence: .whatIsNotSent)
        }
        do throws(KafkaFailure) {
            let first = try library.first(of: partition, within: Int32(patience.milliseconds))
            return LogBounds(
                first: KafkaOffset.log(first), last: LogOffset(max(end, first)), absence: .whatIsNotSent)
        } catch { throw unavailable(error) }
    }

    /// Does nothing: the topic keeps for its `retention.ms`, and others may read it.
    package func trim(before offset: LogOffset) async throws(LogError) {}

    /// Ends what is read ahead.
    func close() {
        fetch.end()
        reading = LogReading()
    }

    private func unavailable(_ failure: KafkaFailure) -> LogError {
        .unavailable("Kafka: \(failure.text)" + (library.lastProblem.map { "; last: \($0)" } ?? ""))
    }
}

#endif
