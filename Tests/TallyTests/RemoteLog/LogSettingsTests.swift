// SPDX-License-Identifier: Apache-2.0

import TallyCore
import Testing

@testable import TallyBackends

@Suite("Unsafe settings of a log are named with what mends them")
struct LogSettingsTests {
    private let needs = LogNeeds(deduplicationWindow: .seconds(3_600), flushEvery: .seconds(60))

    private func kafka(
        _ changes: [String: String?] = [:], replicas: Int = 3, url: String = "kafka://a:9092,b:9092/clicks"
    ) throws -> [String] {
        var settings = KafkaTopic.settings(replicas: replicas)
        for (key, value) in changes { settings[key] = value }
        return KafkaTopic.warnings(
            settings, shape: KafkaTopicShape(partitions: 12, replicas: replicas), url: try KafkaURL(url), needs: needs)
    }

    private func jetStream(
        _ state: JetStreamState, largest: Int = Limits.chunkBytes, url: String = "nats://a/clicks?sync=always"
    ) throws -> [String] {
        JetStreamCheck.warnings(state, largestMessage: largest, url: try JetStreamURL(url), needs: needs)
    }

    @Test func theNeedIsTheLonger() {
        #expect(needs.retention == .seconds(3_600))
        #expect(LogNeeds(deduplicationWindow: .zero, flushEvery: .seconds(60)).retention == .seconds(60))
    }

    @Test("a topic that Tally makes is safe, with as many copies as there are", arguments: 2...5)
    func theOwnTopicIsSafe(replicas: Int) throws {
        #expect(try kafka(replicas: replicas).isEmpty)
        #expect(KafkaTopic.settings(replicas: replicas)["min.insync.replicas"] == "\(replicas / 2 + 1)")
    }

    @Test func copiesFollowTheBrokers() {
        #expect(KafkaTopic.replicas(asked: nil, brokers: 5) == 3)
        #expect(KafkaTopic.replicas(asked: nil, brokers: 1) == 1)
        #expect(KafkaTopic.replicas(asked: 5, brokers: 3) == 5)
        #expect(KafkaTopic.replicas(asked: nil, brokers: 0) == 1)
    }

    @Test(
        "each unsafe setting of a topic is named, with the command",
        arguments: [
            ("min.insync.replicas", "1", "min.insync.replicas=2"),
            ("retention.ms", "3599999", "retention.ms=604800000"),
            ("retention.ms", "0", "retention.ms=604800000"), ("retention.bytes", "1000", "retention.bytes=-1"),
            ("cleanup.policy", "compact,delete", "cleanup.policy=delete"),
            ("unclean.leader.election.enable", "true", "unclean.leader.election.enable=false"),
            ("max.message.bytes", "1048588", "max.message.bytes=\(KafkaURL.largestMessage)"),
        ])
    func unsafeTopics(key: String, value: String, remedy: String) throws {
        let warnings = try kafka([key: value])
        #expect(warnings.count == 1)
        #expect(
            warnings.first?.hasSuffix(
                "; mend it with: kafka-configs.sh --bootstrap-server a:9092,b:9092 --alter --topic clicks "
                    + "--add-config \(remedy)") == true, "\(warnings)")
    }

    @Test func safeTopicsAreNotWarnedAbout() throws {
        #expect(try kafka(["retention.ms": "3600000"]).isEmpty)
        #expect(try kafka(["retention.ms": "-1", "retention.bytes": "-1"]).isEmpty)
        #expect(try kafka(["retention.ms": nil, "max.message.bytes": nil]).isEmpty)
    }

    @Test func oneCopyIsTheWarningAndNotHowManyMustHaveIt() throws {
        let warnings = try kafka(replicas: 1)
        #expect(warnings.count == 1 && warnings.first?.contains("one copy") == true)
    }

    @Test func streamsThatTallyMakesAreSafe() throws {
        #expect(try jetStream(JetStreamState()).isEmpty)
        #expect(try jetStream(JetStreamState(maximumAge: .seconds(3_600), hasLimit: true)).isEmpty)
        #expect(JetStreamCheck.refusal(of: JetStreamState(), named: "clicks-0") == nil)
    }

    @Test func thatJetStreamDoesNotSyncIsSaidUnlessItDoes() throws {
        let warnings = try jetStream(JetStreamState(), url: "nats://a/clicks")
        #expect(warnings.count == 1 && warnings.first?.contains("sync_interval: always") == true)
    }

    @Test(
        "each unsafe setting of streams is named, with what mends it",
        arguments: [
            (JetStreamState(replicas: 1), "nats stream edit clicks-0 --replicas 3"),
            (JetStreamState(isInMemory: true), "let Tally make them"),
            (JetStreamState(maximumAge: .seconds(3_599)), "--max-age 0s"),
            (JetStreamState(hasLimit: true, dropsOldest: true), "--discard new"),
            (JetStreamState(largestMessage: 1_048_576), "max_payload: 8MB"),
        ])
    func unsafeStreams(state: JetStreamState, remedy: String) throws {
        let warnings = try jetStream(state)
        #expect(warnings.count == 1 && warnings.first?.contains(remedy) == true, "\(warnings)")
    }

    @Test func streamsThatKeepNothingAreRefused() {
        #expect(JetStreamCheck.refusal(of: JetStreamState(acknowledges: false), named: "s")?.contains("no_ack") == true)
        #expect(JetStreamCheck.refusal(of: JetStreamState(keepsAll: false), named: "s")?.contains("drops") == true)
    }
}
