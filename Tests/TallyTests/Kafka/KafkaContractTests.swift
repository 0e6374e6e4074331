// SPDX-License-Identifier: Apache-2.0

#if Kafka

import TallyBackends
import TallyCore
import Testing

@Suite(
    "A partition of Kafka keeps the contract",
    .enabled(if: KafkaTesting.servers != nil, "TALLY_TEST_KAFKA does not name a Kafka cluster"))
struct KafkaContractTests {
    @Test("Kafka", arguments: EventLogSuite.promises)
    func kafkaKeeps(_ promise: EventLogSuite.Promise) async throws {
        let url = try KafkaTesting.url()
        let logs = try await KafkaLogs.open(url, checksPartitions: false)
        let others = try await KafkaLogs.open(url, checksPartitions: false)
        try await promise.check(EventLogSuite(log: logs.log(of: 1), other: others.log(of: 1)))
        await logs.close()
        await others.close()
    }
}

enum KafkaTesting {
    static let servers = TestServers.variable("TALLY_TEST_KAFKA")

    /// Of a topic of its own.
    static func url(_ topic: String = TestServers.newName(), _ query: String = "") throws -> KafkaURL {
        try KafkaURL("kafka://\(servers ?? "")/\(topic)\(query)")
    }
}

#endif
