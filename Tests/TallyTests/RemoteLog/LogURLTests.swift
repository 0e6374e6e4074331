// SPDX-License-Identifier: Apache-2.0

import TallyBackends
import Testing

@testable import tally

@Suite("The address of a log")
struct LogURLTests {
    private func refusal(of text: String) -> SettingRefusal? {
        do throws(SettingRefusal) {
            _ = try LogURL(text: text)
            return nil
        } catch { return error }
    }

    @Test func theJournalIsAWord() throws {
        #expect(try LogURL(text: "journal") == .journal)
        for text in ["", "Journal", "files"] { #expect(refusal(of: text) == .notAllowed) }
        #expect(refusal(of: "papyrus://a/b") == .because("it is no log; allowed: \(LogURL.allowed)"))
    }

    @Test func kafkaHasItsParts() throws {
        let url = try KafkaURL(
            "kafka://a.example,[::1]:9093/clicks.eu?partitions=24&replicas=2&compression.type=zstd&linger.ms=5")
        #expect(url.servers == "a.example:9092,[::1]:9093")
        #expect(url.topic == "clicks.eu" && url.partitions == 24 && url.replicas == 2)
        #expect(url.properties["compression.type"] == "zstd" && url.properties["linger.ms"] == "5")
        #expect(url.properties["partitions"] == nil && url.properties["message.timeout.ms"] == "10000")
        #expect("\(url)" == "kafka://a.example:9092,[::1]:9093/clicks.eu")
    }

    @Test func aLoginOfKafkaIsSentEncrypted() throws {
        let url = try KafkaURL("kafka://me:s%40cret/x@a/t")
        #expect(url.properties["sasl.username"] == "me" && url.properties["sasl.password"] == "s@cret/x")
        #expect(url.properties["security.protocol"] == "sasl_ssl" && url.properties["sasl.mechanism"] == "PLAIN")
        let scram = try KafkaURL("kafka://me:s@a/t?security.protocol=sasl_plaintext&sasl.mechanism=SCRAM-SHA-512")
        #expect(scram.properties["security.protocol"] == "sasl_plaintext")
        #expect(scram.properties["sasl.mechanism"] == "SCRAM-SHA-512")
    }

    @Test(
        "what would make an acknowledgement worthless can't be set",
        arguments: [
            "acks=1", "enable.idempotence=false", "enable.auto.commit=true", "auto.offset.reset=latest",
            "allow.auto.create.topics=true",
        ])
    func whatMustBeAsItIs(property: String) {
        guard case .because(let reason) = refusal(of: "kafka://a/t?\(property)") else {
            Issue.record("\(property) is allowed")
            return
        }
        #expect(reason.hasPrefix("\(property.prefix { $0 != "=" }) can't be set: "))
    }

    @Test func jetStreamHasItsParts() throws {
        let url = try JetStreamURL("nats://tok%20en@a,b:5222/clicks?partitions=6&replicas=5&timeout=3&sync=always")
        #expect(url.url.servers == ["a:4222", "b:5222"] && url.url.user == "tok en" && url.url.password == nil)
        #expect(url.partitions == 6 && url.replicas == 5 && url.timeout == .seconds(3) && url.syncsAlways)
        #expect(url.stream(of: 4) == "clicks-4" && url.subject(of: 4) == "clicks.4" && !url.isSecure)
        let secure = try JetStreamURL("tls://a/clicks?ca=/ca.pem&cert=/c.pem&key=/k.pem&creds=/c.creds")
        #expect(secure.isSecure && secure.authority == "/ca.pem" && secure.credentials == "/c.creds")
        #expect(secure.partitions == nil && secure.timeout == .seconds(10) && !secure.syncsAlways)
    }

    @Test(
        "what is no address is refused, and not repeated",
        arguments: [
            "kafka:a/t", "kafka://", "kafka:///t", "kafka://a", "kafka://a/", "kafka://a/t/u", "kafka://a:0/t",
            "kafka://a:65536/t", "kafka://a:x/t", "kafka://a,/t", "kafka://a b/t", "kafka://a/..", "kafka://a/tö",
            "kafka://a/\(String(repeating: "t", count: 81))", "kafka://a/t?partitions=0",
            "kafka://a/t?partitions=65537",
            "kafka://a/t?replicas=x", "kafka://a/t?partitions=1&partitions=1", "kafka://a/t?x", "kafka://a/t?x=%zz",
            "kafka://u:s3cret@a/t u", "nats://u:s3cret@a", "nats://a/b.c", "nats://a/b?replicas=6",
            "nats://a/b?sync=no",
            "nats://a/b?cert=x", "nats://a/b?timeout=0", "nats://a/b?acks=all",
        ])
    func refuses(text: String) {
        guard case .because(let reason) = refusal(of: text) else {
            Issue.record("\(text) is allowed, or not explained")
            return
        }
        #expect(!reason.contains("s3cret") && !reason.hasSuffix("."))
    }

    @Test func noPasswordIsEverShown() throws {
        for text in ["kafka://me:s3cret@h/t?ssl.key.password=s3cret", "nats://me:s3cret@h/t", "nats://s3cret@h/t"] {
            let url = try LogURL(text: text)
            var dumped = ""
            dump(url, to: &dumped)
            #expect(!"\(url) \(String(reflecting: url)) \(dumped)".contains("s3cret"))
        }
        #expect(
            Secrets.hidden(in: "kafka://me:s3cret@h/t?sasl.password=s3cret&a=b")
                == "kafka://me:***@h/t?sasl.password=***&a=b")
    }

    @Test func aBuildWithoutALibrarySaysHowToGetIt() {
        let failure = Wiring.missing("Kafka", "librdkafka-dev", for: "kafka://a/t")
        #expect(failure.code == 1)
        #expect(failure.lines.first?.contains("Install librdkafka-dev") == true)
        #expect(failure.lines.first?.hasSuffix("--traits Kafka") == true)
    }
}
