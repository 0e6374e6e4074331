// SPDX-License-Identifier: Apache-2.0

#if JetStream

import Foundation
package import TallyCore

/// One stream of JetStream. One message is one chunk; its sequence in the stream is the offset.
package actor JetStreamLog: WaitingLog {
    package nonisolated let id: LogID
    package nonisolated let durability = Durability.quorum
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
    private let fetch: NATSFetch
    private var reading = LogReading<NATSMessage>()
    private var decoder: EntryDecoder

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
        self.created = created
        self.library = library
        decoder = EntryDecoder(log: id, partition: checksPartition ? partition : nil, poisoned: poisoned)
        stream = url.stream(of: partition)
        subject = url.subject(of: partition)
        patience = url.timeout
        executor = BlockingExecutor()
        sending = BlockingExecutor()
        fetch = NATSFetch(library: library, stream: stream)
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
            if let offsets = outcome.note(await send(messages, within: limit)) { return offsets }
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
        let deadline = ContinuousClock.now + patience
        reading.request(from: offset)
        var isLarge = false
        while true {
            switch reading.action {
            case .give:
                let entries = try decoder.take(from: &reading, maximumBytes: maximumBytes)
                if !entries.isEmpty { return entries }
            case .end: return []
            case .trimmed(let first): throw .trimmed(first: first)
            case .askBounds(let listsAbsent):
                reading.didLearn(try state(until: deadline, listsAbsent: listsAbsent).bounds)
            case .begin(let position): try begin(at: position, until: deadline)
            case .fetch:
                // A fetch that brings nothing may have met a message that is larger than it may be: the next asks for one of
                // any size.
                if try !fetchMore(maximumBytes: isLarge ? nil : maximumBytes, until: deadline) { isLarge.toggle() }
            }
        }
    }

    private func begin(at position: LogOffset, until deadline: ContinuousClock.Instant) throws(LogError) {
        guard ContinuousClock.now < deadline else {
            throw unavailable(
                NATSFailure(text: "offset \(position) of \(stream) is neither sent nor known to be deleted"))
        }
        do throws(NATSFailure) {
            try fetch.begin(at: position.value)
            reading.didBegin()
        } catch {
            reading.didFail()
            try waitToTryAgain(after: error, until: deadline)
        }
    }

    /// - Parameter maximumBytes: nil for one message of any size.
    /// - Returns: false when nothing came.
    private func fetchMore(maximumBytes: Int?, until deadline: ContinuousClock.Instant) throws(LogError) -> Bool {
        do throws(NATSFailure) {
            let found = try fetch.next(
                messages: maximumBytes == nil ? 1 : JetStreamLog.messagesPerFetch,
                maximumBytes: maximumBytes.map { max($0, JetStreamLog.bytesPerFetch) },
                within: maximumBytes == nil ? 1_000 : 100)
            if !found.isEmpty { return reading.didFetch(found) }
            // What the consumer has sent may be lost, so that the next message would leave it out.
            reading.didFail()
        } catch {
            // It may be a large message, a server that went away, or a consumer that it has forgotten; what a consumer has
            // sent once it does not send again.
            reading.didFail()
            try waitToTryAgain(after: error, until: deadline)
        }
        return false
    }

    /// Long-polls the stream behind its end.
    package func wait(for offset: LogOffset, within limit: Duration) async { poll(offset, within: limit) }

    private func poll(_ offset: LogOffset, within limit: Duration) {
        reading.request(from: offset)
        guard reading.canWait else { return }
        do throws(NATSFailure) {
            if reading.needsConsumer {
                try fetch.begin(at: reading.position.value)
                reading.didBegin()
            }
            let found = try fetch.next(
                messages: JetStreamLog.messagesPerFetch, maximumBytes: nil, within: limit.milliseconds)
            if !found.isEmpty { reading.didFetch(found) }
        } catch {
            if error.isTimeout || error.isNotFound { return }
            reading.didFail()
            // A server that is away would be asked again and again.
            Thread.sleep(forTimeInterval: 0.02)
        }
    }

    package func end() async throws(LogError) -> LogOffset {
        LogOffset(try state(until: .now + patience).last)
    }

    private func state(
        until deadline: ContinuousClock.Instant, listsAbsent: Bool = false
    ) throws(LogError) -> JetStreamState {
        while true {
            let state: JetStreamState?
            do throws(NATSFailure) {
                state = try library.stream(stream, listsAbsent: listsAbsent)
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
