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
    private let poisoned: PoisonedMessages
    private let checksPartition: Bool
    /// Reading from one of these goes on where `fetch` is, which is at the last of them: in between nothing is to be
    /// counted. Kafka's offsets, as all here.
    private var continuing: ClosedRange<Int64>?
    /// There are messages up to here.
    private var knownEnd: Int64 = 0
    /// The last message that was reported as poisoned: it is reported once.
    private var lastPoisoned: Int64 = -1

    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    init(
        id: LogID, partition: Int, library: LibRDKafka, patience: Duration, poisoned: PoisonedMessages,
        checksPartition: Bool
    ) {
        self.id = id
        self.partition = partition
        self.library = library
        self.patience = patience
        self.poisoned = poisoned
        self.checksPartition = checksPartition
        executor = BlockingExecutor()
        fetch = library.fetch(of: partition)
    }

    // MARK: Appending

    package nonisolated func append(_ chunks: [Chunk]) async throws(LogError) -> [LogOffset] {
        if chunks.isEmpty { return [] }
        if let problem = library.fatalProblem { throw .failed("Kafka's producer can't go on: \(problem)") }
        let messages = chunks.map { chunk in
            KafkaMessage(key: Array(ChunkMessage.name(of: chunk).utf8), value: chunk.encoded())
        }
        let deliveries = await withCheckedContinuation { continuation in
            library.send(messages, to: partition) { continuation.resume(returning: $0) }
        }
        return try KafkaOutcome.offsets(of: deliveries, fatal: library.fatalProblem)
    }

    // MARK: Reading

    package func read(from offset: LogOffset, maximumBytes: Int) async throws(LogError) -> [LogEntry] {
        let start = KafkaOffset.kafka(offset)
        if continuing?.contains(start) != true {
            guard try begin(at: start) else { return [] }
        } else if !fetch.hasNext, let position = continuing?.upperBound, position >= knownEnd,
            try findEnd() <= position
        {
            return []
        }
        return try collect(maximumBytes: maximumBytes)
    }

    /// - Returns: false when there is nothing yet at `start`.
    private func begin(at start: Int64) throws(LogError) -> Bool {
        let low = try findFirst()
        if start < low { throw .trimmed(first: KafkaOffset.log(low)) }
        if try start >= findEnd() { return false }
        do throws(KafkaFailure) { try fetch.begin(at: start) } catch { throw unavailable(error) }
        continuing = start...start
        return true
    }

    /// Long-polls the partition behind its end.
    package func wait(for offset: LogOffset, within limit: Duration) async {
        let start = KafkaOffset.kafka(offset)
        let deadline = ContinuousClock.now + limit
        if continuing?.contains(start) != true {
            // What is wrong here the next reading says.
            guard let low = try? findFirst(), let high = try? findEnd(), (low...high).contains(start),
                (try? fetch.begin(at: start)) != nil
            else { return }
            continuing = start...start
        }
        while fetch.waitForNext(within: Int32(max(0, (deadline - .now).milliseconds))), ContinuousClock.now < deadline {
            if fetch.nextIsMessage { return }
            // The end, or a broker that is away for a moment.
            fetch.dropNext()
        }
    }

    private func collect(maximumBytes: Int) throws(LogError) -> [LogEntry] {
        var entries: [LogEntry] = []
        var bytes = 0
        let deadline = ContinuousClock.now + patience
        while entries.isEmpty || bytes < maximumBytes {
            // Something must be there, or the end; what is read ahead already comes at once.
            let wait = entries.isEmpty ? max(0, (deadline - .now).milliseconds) : 0
            switch fetch.next(within: Int32(wait)) {
            case .message(let offset, let message):
                guard let entry = try entry(at: offset, message) else { continue }
                entries.append(entry)
                bytes += message.value.count
            case .end(let offset):
                // An older end may have been noticed before more was appended.
                if offset >= knownEnd || !entries.isEmpty { return entries }
            case .failure(let failure): try note(failure)
            case nil:
                if !entries.isEmpty { return entries }
                throw unavailable(KafkaFailure(text: "no broker has sent anything"))
            }
        }
        return entries
    }

    /// - Returns: nil when the message is passed over.
    private func entry(at offset: Int64, _ message: KafkaMessage) throws(LogError) -> LogEntry? {
        guard let before = continuing, offset >= before.upperBound else { return nil }
        let name = String(decoding: message.key, as: UTF8.self)
        switch ChunkMessage(message.value, name: name, in: checksPartition ? partition : nil) {
        case .chunk(let chunk):
            continuing = offset + 1...offset + 1
            return LogEntry(offset: KafkaOffset.log(offset), chunk: chunk)
        case .poison(let reason):
            continuing = before.lowerBound...offset + 1
            if offset > lastPoisoned { poisoned.note(reason, at: KafkaOffset.log(offset), of: id) }
            lastPoisoned = max(lastPoisoned, offset)
            return nil
        case .newer(let reason):
            continuing = nil
            throw .damaged("offset \(KafkaOffset.log(offset)) of \(id): \(reason)")
        }
    }

    /// Most failures pass by themselves.
    private func note(_ failure: KafkaFailure) throws(LogError) {
        if failure.isPassing { return }
        let position = continuing?.upperBound ?? 0
        continuing = nil
        let low = try findFirst()
        if position < low { throw .trimmed(first: KafkaOffset.log(low)) }
        guard failure.isOffsetOutOfRange else { throw unavailable(failure) }
        let high = try findEnd()
        throw .damaged(
            "\(id) ends at offset \(high), and did not: it was deleted and made anew, or its brokers have lost its end"
        )
    }

    package func end() async throws(LogError) -> LogOffset { LogOffset(try findEnd()) }

    private func findFirst() throws(LogError) -> Int64 {
        do throws(KafkaFailure) {
            return try library.first(of: partition, within: Int32(patience.milliseconds))
        } catch { throw unavailable(error) }
    }

    private func findEnd() throws(LogError) -> Int64 {
        do throws(KafkaFailure) {
            let end = try library.end(of: partition, within: Int32(patience.milliseconds))
            knownEnd = max(knownEnd, end)
            return end
        } catch { throw unavailable(error) }
    }

    /// Does nothing: the topic keeps for its `retention.ms`, and others may read it.
    package func trim(before offset: LogOffset) async throws(LogError) {}

    /// Ends what is read ahead.
    func close() {
        fetch.end()
        continuing = nil
    }

    private func unavailable(_ failure: KafkaFailure) -> LogError {
        .unavailable("Kafka: \(failure.text)" + (library.lastProblem.map { "; last: \($0)" } ?? ""))
    }
}

#endif
