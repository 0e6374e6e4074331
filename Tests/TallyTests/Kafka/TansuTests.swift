// SPDX-License-Identifier: Apache-2.0

#if Kafka

import Foundation
import TallyCore
import Testing

@testable import TallyBackends

/// Tansu, a broker that shares no code with librdkafka. `Scripts/test-tansu` starts it, and runs what is in these suites with
/// librdkafka 2.16, since Debian's 2.0 cannot talk to it.
enum Tansu {
    static let server = TestServers.variable("TALLY_TEST_TANSU")

    /// Of a topic of its own. A fault of Tansu 0.6 is kept out: it tells the end of a partition as the first offset of its last
    /// batch, plus one, so a batch has one message here.
    static func url(_ topic: String = TestServers.newName(), partitions: Int? = nil) throws -> KafkaURL {
        try KafkaURL(text(topic, partitions: partitions))
    }

    static func text(_ topic: String, partitions: Int?) -> String {
        let count = partitions.map { "&partitions=\($0)" } ?? ""
        return "kafka://\(server ?? "")/\(topic)?batch.num.messages=1\(count)"
    }
}

@Suite("With Tansu, a broker of Kafka's protocol", .enabled(if: Tansu.server != nil, "TALLY_TEST_TANSU is not set"))
struct TansuTests {
    @Test("the library is the newer one")
    func library() throws {
        let maps = try #require(try FileHandle(forReadingAtPath: "/proc/self/maps")?.readToEnd())
        let libraries = Set(
            String(decoding: maps, as: UTF8.self).split(separator: "\n")
                .filter { $0.contains("/librdkafka") }
                .compactMap { $0.split(separator: " ").last })
        #expect(libraries.count == 1)
        #expect(libraries.first?.contains("/librdkafka-2.16.0/") == true, "\(libraries)")
    }

    @Test("a partition keeps the contract", arguments: EventLogSuite.promises)
    func partitionKeeps(_ promise: EventLogSuite.Promise) async throws {
        let logs = try await KafkaLogs.open(Tansu.url(), checksPartitions: false)
        try await promise.check(EventLogSuite(log: logs.log(of: 1)))
        await logs.close()
    }

    @Test("a topic has the number of partitions that was asked for, and twelve otherwise", arguments: [3, 7, nil])
    func numberOfPartitions(asked: Int?) async throws {
        let url = try Tansu.url(partitions: asked)
        let logs = try await KafkaLogs.open(url)
        #expect(logs.partitioning.count == asked ?? 12)
        await logs.close()
        let again = try await KafkaLogs.open(url)
        #expect(again.partitioning.count == asked ?? 12)
        await again.close()
    }

    @Test("processes that create a topic at the same time have the same one")
    func sameTopic() async throws {
        let url = try Tansu.url(partitions: 5)
        let counts = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    let logs = try await KafkaLogs.open(url)
                    await logs.close()
                    return logs.partitioning.count
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(counts == [5, 5, 5, 5])
    }

    @Test("another number of partitions than the topic has is refused")
    func otherNumber() async throws {
        let topic = TestServers.newName()
        await (try await KafkaLogs.open(Tansu.url(topic, partitions: 3))).close()
        let error = await logError { _ = try await KafkaLogs.open(Tansu.url(topic, partitions: 4)) }
        guard case .refused(let reason) = error else {
            Issue.record("\(error as Any)")
            return
        }
        #expect(reason.hasPrefix("the topic \(topic) has 3 partitions, not 4"))
    }

    @Test("what only reads a topic does not create it")
    func onlyReading() async throws {
        let topic = TestServers.newName()
        for _ in 0..<2 {
            let error = await logError { _ = try await KafkaLogs.open(Tansu.url(topic), makes: false) }
            guard case .unavailable(let reason) = error else {
                Issue.record("\(error as Any)")
                return
            }
            #expect(reason.contains("Unknown topic"))
        }
        // A topic that the questions had created would have four.
        let logs = try await KafkaLogs.open(Tansu.url(topic, partitions: 3))
        #expect(logs.partitioning.count == 3)
        await logs.close()
    }

    @Test("a topic is created with the settings that keep counts")
    func settings() async throws {
        let logs = try await KafkaLogs.open(Tansu.url(partitions: 1))
        let needs = LogNeeds(deduplicationWindow: .seconds(3_600), flushEvery: .seconds(60))
        // Tansu is one broker, so there is one copy; nothing else is unsafe.
        let warnings = await logs.warnings(needs)
        #expect(warnings.count == 1)
        #expect(warnings.first?.contains("has one copy of each partition") == true, "\(warnings)")
        await logs.close()
    }

    @Test("settings that could lose counts are read from the broker, and named")
    func unsafeSettings() async throws {
        let url = try Tansu.url()
        let maker = try LibRDKafka(topic: url.topic, properties: ["bootstrap.servers": url.servers])
        try maker.createTopic(
            partitions: 1, replicas: 2,
            settings: ["cleanup.policy": "compact", "retention.ms": "1000", "min.insync.replicas": "1"], within: 10_000)
        maker.close()
        let logs = try await KafkaLogs.open(url)
        let warnings = await logs.warnings(LogNeeds(deduplicationWindow: .seconds(3_600), flushEvery: .seconds(60)))
        for part in ["is compacted", "keeps chunks for 1000 ms", "what one broker alone has"] {
            #expect(warnings.count { $0.contains(part) } == 1, "\(part): \(warnings)")
        }
        #expect(warnings.count == 3)
        await logs.close()
    }
}

#endif
