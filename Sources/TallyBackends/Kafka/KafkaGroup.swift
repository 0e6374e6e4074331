// SPDX-License-Identifier: Apache-2.0

#if Kafka

import Synchronization
package import TallyCore

/// A consumer group shares out the partitions of a topic among the processes that count it.
///
/// When it shares out anew, it takes back everything first. What is counted goes on meanwhile, and ends only when
/// another has been told to count it: that does no harm, and most partitions stay where they are.
package final class KafkaGroup: PartitionGroup {
    package let assignments: AsyncStream<Set<Int>>
    private let told: AsyncStream<Set<Int>>.Continuation
    private let membership: KafkaMembership
    private let problems: KafkaProblems
    private let standing: Standing
    private let executor = BlockingExecutor()

    /// What the group has said last.
    private final class Standing: Sendable {
        let isMember = Mutex(false)
    }

    init(_ url: KafkaURL) throws(LogError) {
        let (assignments, told) = AsyncStream<Set<Int>>.makeStream()
        let standing = Standing()
        let problems = KafkaProblems { partitions in
            standing.isMember.withLock { $0 = true }
            told.yield(partitions)
        } didRevoke: {
            standing.isMember.withLock { $0 = false }
        }
        do throws(KafkaFailure) {
            let properties = url.properties.merging(["bootstrap.servers": url.servers]) { $1 }
            membership = try KafkaMembership(
                topic: url.topic, group: url.group, properties: properties, problems: problems)
        } catch {
            throw .refused("librdkafka: \(error.text)")
        }
        (self.assignments, self.told, self.standing, self.problems) = (assignments, told, standing, problems)
    }

    package var problem: String? {
        if standing.isMember.withLock({ $0 }) { return nil }
        return "the partitions are being shared out" + (problems.last.map { "; last: \($0)" } ?? "")
    }

    /// Kafka counts from 0 and Tally from 1: the offset that is to be read next there is the one that is stored here.
    package func commit(_ offset: LogOffset, of partition: Int) { membership.commit(offset.value, of: partition) }

    package func leave() async {
        let membership = membership
        await executor.run { membership.leave() }
        told.finish()
    }
}

#endif
