// SPDX-License-Identifier: Apache-2.0

#if JetStream

import Foundation
package import TallyCore

/// One stream of JetStream. One message is one chunk; its sequence in the stream is the offset.
package actor JetStreamLog: WaitingLog {
    package nonisolated let id: LogID
    package nonisolated let durability = Durability.quorum
    private nonisolated let partition: Int
    /// Another stream of the same name was made at another time.
    private let created: Int64
    private nonisolated let stream: String
    private nonisolated let subject: String
    private nonisolated let library: LibNATS
    /// For reading, and for sending: neither waits for the other.
    private nonisolated let executor: BlockingExecutor
    private nonisolated let sending: BlockingExecutor
    /// How long an append or a reading may take.
    private nonisolated let patience: Duration
    private nonisolated let poisoned: PoisonedMessages
    private nonisolated let checksPartition: Bool
    private let fetch: NATSFetch
    private var reading = JetStreamReading<NATSMessage>()
    /// There are messages up to here.
    private var knownEnd: Int64 = 0
    /// The last message that was reported as poisoned: it is reported once.
    private var lastPoisoned: Int64 = 0

    /// An append that is not acknowledged is sent again after so long, with the same id.
    private static let acknowledgementTime: Int64 = 2_000
    /// What is read ahead at most.
    private static let messagesPerFetch = 500
    private static let bytesPerFetch = 1 << 20

    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    init(
        id: LogID, partition: Int, created: Int64, url: JetStreamURL, library: LibNATS, poisoned: PoisonedMessages,
        checksPartition: Bool
    ) {
        self.id = id
        self.partition = partition
        self.created = created
        self.library = library
        self.poisoned = poisoned
        self.checksPartition = checksPartition
        stream = url.stream(of: partition)
        subject = url.subject(of: partition)
        patience = url.timeout
        executor = BlockingExecutor()
        sending = BlockingExecutor()
        fetch = library.fetch(of: stream, subject: subject)
    }

    // MARK: Appending

    package nonisolated func append(_ chunks: [Chunk]) async throws(LogError) -> [LogOffset] {
        if chunks.isEmpty { return [] }
        let messages = chunks.map { NATSMessage(id: ChunkMessage.name(of: $0), bytes: $0.encoded()) }
        let largest = library.largestMessage
        if let longer = messages.first(where: { $0.bytes.count > largest }) {
            throw .refused(
                "a chunk has \(longer.bytes.count) bytes, and the NATS servers' max_payload is \(largest)")
        }
        let deadline = ContinuousClock.now + patience
        var outcome = JetStreamOutcome()
        var pause = Duration.milliseconds(20)
        while true {
            let limit = min(JetStreamLog.acknowledgementTime, max(1, (deadline - .now).milliseconds))
            if let offsets = try outcome.note(await send(messages, within: limit)) { return offsets }
            guard ContinuousClock.now + pause < deadline, (try? await Task.sleep(for: pause)) != nil else {
                throw outcome.error
            }
            pause = min(pause * 2, .milliseconds(500))
        }
    }

    private nonisolated func send(_ messages: [NATSMessage], within limit: Int64) async -> [NATSDelivery] {
        let (library, subject, sending) = (library, subject, sending)
        return await withCheckedContinuation { continuation in
            sending.perform {
                library.publish(messages, to: subject, within: limit) { continuation.resume(returning: $0) }
            }
        }
    }

    // MARK: Reading

    package func read(from offset: LogOffset, maximumBytes: Int) async throws(LogError) -> [LogEntry] {
        let start = max(offset.value, 1)
        let deadline = ContinuousClock.now + patience
        if !reading.continues(at: start) {
            let state = try state(until: deadline)
            if start < state.first, state.last > 0 { throw .trimmed(first: LogOffset(state.first)) }
            reading = JetStreamReading(at: start)
        }
        var entries: [LogEntry] = []
        var bytes = 0
        while entries.isEmpty || bytes < maximumBytes {
            guard let (sequence, message) = reading.next() else {
                if !entries.isEmpty { return entries }
                if reading.position > knownEnd, reading.position > (try state(until: deadline).last) { return [] }
                try fill(maximumBytes: maximumBytes, until: deadline)
                continue
            }
            guard let entry = try entry(at: sequence, message) else { continue }
            entries.append(entry)
            bytes += message.bytes.count
        }
        return entries
    }

    /// Long-polls the stream behind its end.
    package func wait(for offset: LogOffset, within limit: Duration) async { poll(offset, within: limit) }

    private func poll(_ offset: LogOffset, within limit: Duration) {
        let start = max(offset.value, 1)
        if !reading.continues(at: start) { reading = JetStreamReading(at: start) }
        if reading.hasMore { return }
        do throws(NATSFailure) {
            if reading.mustBegin {
                // Only there it is known which message comes next.
                guard reading.position > knownEnd else { return }
                try fetch.begin(at: reading.position)
                reading.didBegin(isAtEnd: true)
            }
            let found = try fetch.next(
                messages: JetStreamLog.messagesPerFetch, maximumBytes: nil, within: limit.milliseconds)
            if !found.isEmpty { _ = reading.add(found) }
        } catch {
            if error.isTimeout || error.isNotFound { return }
            reading.begin()
            // A server that is away would be asked again and again.
            Thread.sleep(forTimeInterval: 0.02)
        }
    }

    /// Reads more ahead, beginning at the reading's position.
    private func fill(maximumBytes: Int, until deadline: ContinuousClock.Instant) throws(LogError) {
        var isLarge = false
        while true {
            do throws(NATSFailure) {
                if reading.mustBegin {
                    try fetch.begin(at: reading.position)
                    reading.didBegin()
                }
                let found = try fetch.next(
                    messages: isLarge ? 1 : JetStreamLog.messagesPerFetch,
                    maximumBytes: isLarge ? nil : max(maximumBytes, JetStreamLog.bytesPerFetch),
                    within: isLarge ? 1_000 : 100)
                if reading.add(found) { return }
            } catch {
                // It may be a large message, a server that went away, or a place that it has forgotten; and what it
                // has sent to nobody it sends no more.
                reading.begin()
                try checkIsThere(until: deadline)
                try waitToTryAgain(after: error, until: deadline)
            }
            isLarge.toggle()
        }
    }

    private func checkIsThere(until deadline: ContinuousClock.Instant) throws(LogError) {
        let state = try state(until: deadline)
        if reading.position < state.first { throw .trimmed(first: LogOffset(state.first)) }
    }

    /// - Returns: nil when the message is passed over.
    private func entry(at sequence: Int64, _ message: NATSMessage) throws(LogError) -> LogEntry? {
        switch ChunkMessage(message.bytes, name: message.id, in: checksPartition ? partition : nil) {
        case .chunk(let chunk):
            reading.didGive()
            return LogEntry(offset: LogOffset(sequence), chunk: chunk)
        case .poison(let reason):
            if sequence > lastPoisoned { poisoned.note(reason, at: LogOffset(sequence), of: id) }
            lastPoisoned = max(lastPoisoned, sequence)
            return nil
        case .newer(let reason):
            reading = JetStreamReading()
            throw .damaged("offset \(sequence) of \(id): \(reason)")
        }
    }

    package func end() async throws(LogError) -> LogOffset {
        LogOffset(try state(until: .now + patience).last)
    }

    private func state(until deadline: ContinuousClock.Instant) throws(LogError) -> JetStreamState {
        while true {
            let state: JetStreamState?
            do throws(NATSFailure) {
                state = try library.stream(stream)
            } catch {
                try waitToTryAgain(after: error, until: deadline)
                continue
            }
            if let state { return try checked(state) }
            try waitToTryAgain(after: NATSFailure(text: "the stream \(stream) is gone"), until: deadline)
        }
    }

    private func checked(_ state: JetStreamState) throws(LogError) -> JetStreamState {
        guard state.created == created else {
            throw .damaged("the stream \(stream) was removed and made anew: start Tally again")
        }
        knownEnd = max(knownEnd, state.last)
        return state
    }

    /// While a leader is chosen nobody answers.
    private func waitToTryAgain(
        after failure: NATSFailure, until deadline: ContinuousClock.Instant
    ) throws(LogError) {
        guard ContinuousClock.now < deadline else { throw unavailable(failure) }
        Thread.sleep(forTimeInterval: 0.02)
    }

    /// Drops the chunks: the streams are Tally's own.
    package func trim(before offset: LogOffset) async throws(LogError) {
        if offset.value <= 1 { return }
        // Nothing is behind the end.
        let last = try state(until: .now + patience).last
        do throws(NATSFailure) {
            try library.purge(stream, before: min(offset.value, last + 1))
        } catch {
            throw unavailable(error)
        }
    }

    func close() { fetch.end() }

    private func unavailable(_ failure: NATSFailure) -> LogError { .unavailable("JetStream: \(failure.text)") }
}

#endif
