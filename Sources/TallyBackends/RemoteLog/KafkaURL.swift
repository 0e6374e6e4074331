// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// `kafka://HOST:PORT,…/TOPIC?partitions=12&replicas=3`; every other parameter is a property of librdkafka, such as
/// `security.protocol=SASL_SSL`. Can be read without librdkafka.
package struct KafkaURL: Equatable, Sendable {
    package let url: RemoteLogURL
    /// Of the topic; nil for as many as it has, and `partitionsWhenMade` when it is made.
    package let partitions: Int?
    /// When the topic is made; nil for three, or as many as there are brokers.
    package let replicas: Int?
    /// Of those that count the topic.
    package let group: String
    /// For librdkafka: its own defaults, ours, and what the URL says, the last winning.
    package let properties: [String: String]

    package static let partitionsWhenMade = 12
    package var servers: String { url.servers.joined(separator: ",") }
    package var topic: String { url.name }

    package init(_ text: String) throws(LogURLError) {
        // A log's name has 128 characters at most, and the cluster and the partition stand in it besides.
        url = try RemoteLogURL(text, port: 9_092, nameRule: .init(what: "topic", more: ".", longest: 80))
        partitions = try url.number("partitions", in: 1...Limits.partitions)
        replicas = try url.number("replicas", in: 1...32_767)
        group = url.parameters["group.id"] ?? "tally-\(url.name)"
        guard !group.isEmpty else { throw LogURLError("group.id is empty; allowed is any name of a consumer group") }
        let own = ["partitions", "replicas", "group.id"]
        var properties = KafkaURL.defaults
        if let user = url.user {
            properties.merge(KafkaURL.login(user, url.password ?? "")) { $1 }
        }
        for (key, value) in url.parameters where !own.contains(key) {
            if let reason = KafkaURL.fixed[key] { throw LogURLError("\(key) can't be set: \(reason)") }
            properties[key] = value
        }
        self.properties = properties
    }

    private static let defaults = [
        "client.id": "tally",
        "compression.type": "lz4",
        // Chunks are gathered already: waiting for more would only add time.
        "linger.ms": "0",
        // How long an append may take, everything included.
        "message.timeout.ms": "10000",
        "request.timeout.ms": "5000",
        "message.max.bytes": String(largestMessage),
        "fetch.message.max.bytes": String(largestMessage),
        "reconnect.backoff.max.ms": "1000",
        "fetch.wait.max.ms": "100",
        // Who is not heard of for so long is taken for dead, and its partitions are shared out anew.
        "session.timeout.ms": "6000",
        "heartbeat.interval.ms": "2000",
    ]

    /// A chunk with its key and what Kafka adds.
    package static let largestMessage = Limits.chunkBytes + 64 * 1024

    private static func login(_ user: String, _ password: String) -> [String: String] {
        [
            "security.protocol": "sasl_ssl", "sasl.mechanism": "PLAIN", "sasl.username": user,
            "sasl.password": password,
        ]
    }

    /// What must be as it is, and why.
    private static let fixed = [
        "bootstrap.servers": "the servers stand before the topic",
        "metadata.broker.list": "the servers stand before the topic",
        "acks": "it is all, or what was acknowledged could be lost",
        "request.required.acks": "it is all, or what was acknowledged could be lost",
        "enable.idempotence": "it is true, or chunks could change their order",
        "isolation.level": "chunks are not sent in transactions",
        "enable.partition.eof": "Tally needs to know where a partition ends",
        "auto.offset.reset": "a reader that jumped elsewhere would lose counts",
        "enable.auto.commit": "Tally reads from the store's checkpoint",
        "partition.assignment.strategy": "librdkafka 2.0 loses its assignment in a cooperative rebalance",
        "allow.auto.create.topics": "Tally creates the topic itself, with the settings that keep counts",
        "transactional.id": "chunks are not sent in transactions",
    ]
}

/// A property may be a password.
extension KafkaURL: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { url.description }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: ["description": description]) }
}
