// SPDX-License-Identifier: Apache-2.0

#if JetStream

package import TallyCore

/// Streams of JetStream, one for each partition, so that each has a leader of its own. One connection serves all.
package final class JetStreamLogs: PartitionedLog {
    package let partitioning: Partitioning
    private let poisoned: PoisonedMessages
    private let url: JetStreamURL
    private let library: LibNATS
    private let logs: [JetStreamLog]
    private let executor: BlockingExecutor

    /// Connects, and makes the streams that are missing when it may.
    ///
    /// - Parameter checksPartitions: chunks that belong to another partition than theirs are passed over.
    package static func open(
        _ url: JetStreamURL, makes: Bool = true, poisoned: PoisonedMessages = PoisonedMessages(),
        checksPartitions: Bool = true
    ) async throws(LogError) -> JetStreamLogs {
        let executor = BlockingExecutor()
        return try await executor.run { () throws(LogError) -> JetStreamLogs in
            let library: LibNATS
            do throws(NATSFailure) { library = try LibNATS(url) } catch {
                throw .unavailable("\(url): \(error.text)")
            }
            do throws(LogError) {
                return try JetStreamLogs(url, makes, library, executor, poisoned, checksPartitions)
            } catch {
                library.close()
                throw error
            }
        }
    }

    private init(
        _ url: JetStreamURL, _ makes: Bool, _ library: LibNATS, _ executor: BlockingExecutor,
        _ poisoned: PoisonedMessages,
        _ checksPartitions: Bool
    ) throws(LogError) {
        let states: [JetStreamState]
        do throws(NATSFailure) {
            states = try JetStreamLogs.findOrMake(url, makes, library)
        } catch {
            throw .unavailable("\(url): \(error.text)")
        }
        if let asked = url.partitions, asked < states.count {
            throw .refused(
                "there are streams for \(states.count) partitions, \(url.stream(of: 0)) to "
                    + "\(url.stream(of: states.count - 1)), and what the last of them hold would not be counted. "
                    + "Say partitions=\(states.count), or nothing")
        }
        guard let partitioning = Partitioning(count: states.count) else {
            throw .refused("\(states.count) partitions; allowed are 1 to \(Limits.partitions)")
        }
        logs = try states.enumerated().map { (partition, state) throws(LogError) in
            if let reason = JetStreamCheck.refusal(of: state, named: url.stream(of: partition)) {
                throw .refused(reason)
            }
            let made = String(state.created, radix: 36)
            guard let id = LogID("nats:\(url.stream)/\(partition)/\(made)") else {
                preconditionFailure("a stream's name and numbers make the name of a log")
            }
            return JetStreamLog(
                id: id, partition: partition, created: state.created, url: url, library: library,
                poisoned: poisoned, checksPartition: checksPartitions)
        }
        self.partitioning = partitioning
        self.poisoned = poisoned
        self.url = url
        self.library = library
        self.executor = executor
    }

    /// - Returns: the streams, by partition.
    private static func findOrMake(
        _ url: JetStreamURL, _ makes: Bool, _ library: LibNATS
    ) throws(NATSFailure) -> [JetStreamState] {
        var states: [JetStreamState] = []
        while states.count < Limits.partitions, let state = try library.stream(url.stream(of: states.count)) {
            states.append(state)
        }
        let count = url.partitions ?? (states.isEmpty ? JetStreamURL.partitionsWhenMade : states.count)
        guard makes || states.count >= count else {
            throw NATSFailure(text: "there is no stream \(url.stream(of: states.count))")
        }
        while states.count < count { states.append(try make(states.count, url, library)) }
        return states
    }

    /// "replicas > 1 not supported in non-clustered mode"
    private static let isNoCluster: UInt32 = 10_074

    private static func make(
        _ partition: Int, _ url: JetStreamURL, _ library: LibNATS
    ) throws(NATSFailure) -> JetStreamState {
        let (stream, subject) = (url.stream(of: partition), url.subject(of: partition))
        do throws(NATSFailure) {
            return try library.makeStream(stream, subject: subject, replicas: url.replicas ?? 3)
        } catch {
            if url.replicas == nil, error.code == isNoCluster {
                return try library.makeStream(stream, subject: subject, replicas: 1)
            }
            // Another server may have been faster, with other replicas.
            guard let state = try library.stream(stream) else { throw error }
            return state
        }
    }

    package var poisonedMessages: Int { poisoned.count }

    package var largestChunk: Int { library.largestMessage }

    package func log(of partition: Int) -> any EventLog { logs[partition] }

    package func warnings(_ needs: LogNeeds) async -> [String] {
        let (library, url, count) = (library, url, partitioning.count)
        return await executor.run {
            do throws(NATSFailure) {
                var warnings: [String] = []
                for partition in 0..<count {
                    guard let state = try library.stream(url.stream(of: partition)) else { continue }
                    let found = JetStreamCheck.warnings(
                        state, largestMessage: library.largestMessage, url: url, needs: needs)
                    warnings += found.filter { !warnings.contains($0) }
                }
                return warnings
            } catch {
                return [
                    "the settings of the streams \(url.stream)-* could not be read and were not checked: \(error.text)"
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
