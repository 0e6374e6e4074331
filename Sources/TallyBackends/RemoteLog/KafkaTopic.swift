// SPDX-License-Identifier: Apache-2.0

package import TallyCore

/// How many partitions a topic has, and copies of each.
package struct KafkaTopicShape: Equatable, Sendable {
    package let partitions: Int
    package let replicas: Int

    package init(partitions: Int, replicas: Int) {
        self.partitions = partitions
        self.replicas = replicas
    }
}

/// What a topic for chunks is like: how it is made, and what is wrong with one that others made.
package enum KafkaTopic {
    private static let week = Duration.seconds(7 * 86_400)

    /// With three copies one broker may be away, and still two have what is acknowledged.
    package static func replicas(asked: Int?, brokers: Int) -> Int { asked ?? max(1, min(3, brokers)) }

    /// A topic that is made.
    package static func settings(replicas: Int) -> [String: String] {
        [
            "cleanup.policy": "delete",
            "retention.ms": String(week.milliseconds),
            "min.insync.replicas": String(enough(of: replicas)),
            "unclean.leader.election.enable": "false",
            "max.message.bytes": String(KafkaURL.largestMessage),
        ]
    }

    /// How many must have a chunk before it is acknowledged.
    private static func enough(of replicas: Int) -> Int { replicas / 2 + 1 }

    /// What is set so that counts could be lost, each with the command that mends it.
    /// - Parameter settings: the topic's; one that is missing is taken for safe.
    package static func warnings(
        _ settings: [String: String], shape: KafkaTopicShape, url: KafkaURL, needs: LogNeeds
    ) -> [String] {
        let topic = url.topic
        var warnings: [String] = []
        func warn(_ problem: String, set key: String, to value: String) {
            warnings.append("the topic \(topic) \(problem); \(command(url, key, value))")
        }
        if shape.replicas == 1 {
            warnings.append(
                "the topic \(topic) has one copy of each partition: what is acknowledged is lost with its broker. "
                    + "Give it more with kafka-reassign-partitions.sh, or make a new topic")
        } else if number("min.insync.replicas", settings) == 1 {
            warn(
                "acknowledges what one broker alone has (min.insync.replicas is 1)", set: "min.insync.replicas",
                to: String(enough(of: shape.replicas)))
        }
        if let milliseconds = number("retention.ms", settings), milliseconds >= 0,
            milliseconds < needs.retention.milliseconds
        {
            warn(
                "keeps chunks for \(milliseconds) ms, which is less than --dedup-window or --flush-every "
                    + "(\(needs.retention.milliseconds) ms)", set: "retention.ms", to: String(week.milliseconds))
        }
        if let bytes = number("retention.bytes", settings), bytes >= 0 {
            warn(
                "drops chunks beyond \(bytes) bytes, counted or not", set: "retention.bytes", to: "-1")
        }
        if settings["cleanup.policy"]?.contains("compact") == true {
            warn("is compacted, which chunks don't need", set: "cleanup.policy", to: "delete")
        }
        if settings["unclean.leader.election.enable"] == "true" {
            warn(
                "may choose a leader that lacks what was acknowledged", set: "unclean.leader.election.enable",
                to: "false")
        }
        if let bytes = number("max.message.bytes", settings), bytes < KafkaURL.largestMessage {
            warn(
                "refuses messages over \(bytes) bytes, and a chunk may have more", set: "max.message.bytes",
                to: String(KafkaURL.largestMessage))
        }
        return warnings
    }

    private static func number(_ key: String, _ settings: [String: String]) -> Int64? {
        settings[key].flatMap { Int64($0) }
    }

    private static func command(_ url: KafkaURL, _ key: String, _ value: String) -> String {
        "mend it with: kafka-configs.sh --bootstrap-server \(url.servers) --alter --topic \(url.topic) "
            + "--add-config \(key)=\(value)"
    }
}

extension Duration {
    var milliseconds: Int64 { components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000 }
}
