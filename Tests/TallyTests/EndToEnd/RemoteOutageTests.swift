// SPDX-License-Identifier: Apache-2.0

#if Kafka && JetStream

import Foundation
import TallyBackends
import Testing

extension EndToEndTests {
    @Suite("While the brokers are away events are kept, and counted once afterwards", .timeLimit(.minutes(4)))
    struct RemoteOutageTests {
        /// What kills the brokers, and what brings them back.
        private struct Brokers {
            let url: String
            let down: () async throws -> Void
            let up: () async throws -> Void
        }

        @Test(
            "Kafka's", .enabled(if: KafkaMock.program != nil, "TALLY_TEST_KAFKA_MOCK does not name the mock of Kafka"),
            arguments: ["quorum", "disk"])
        func kafka(acknowledgement: String) async throws {
            let mock = try await KafkaMock()
            try await mock.tell("topic clicks 3 3")
            let quick = "reconnect.backoff.ms=50&reconnect.backoff.max.ms=100&retry.backoff.ms=50"
            let brokers = Brokers(
                url: "kafka://\(mock.servers)/clicks?message.timeout.ms=1500&\(quick)",
                down: { for broker in 1...3 { try await mock.tell("down \(broker)") } },
                up: { for broker in 1...3 { try await mock.tell("up \(broker)") } })
            try await outage(of: brokers, acknowledgement)
        }

        @Test(
            "JetStream's, which are killed",
            .enabled(if: NATSCluster.program != nil, "TALLY_TEST_NATS_SERVER does not name a nats-server"))
        func jetStream() async throws {
            let cluster = try NATSCluster()
            // When the streams are there, the cluster has its leaders.
            await (try await cluster.logs("clicks", "partitions=3")).close()
            let brokers = Brokers(
                url: "nats://\(cluster.servers)/clicks?timeout=2",
                down: { for node in 0..<3 { try await cluster.kill(node) } },
                up: { for node in 0..<3 { try cluster.start(node) } })
            try await outage(of: brokers, "quorum")
        }

        private func outage(of brokers: Brokers, _ acknowledgement: String) async throws {
            try await withSandbox { sandbox in
                let options = ["--log", brokers.url, "--roles", "ingest", "--ack", acknowledgement]
                var tally = try await sandbox.serve(options: options)
                var sent: [Int: Int] = [:]
                #expect(try await count(tally, &sent) == [acknowledgement])
                #expect(try await tally.client.get("/stats").status == 405)
                let question = try await tally.client.post("/stats/1", "{}")
                #expect(question.status == 404 && question.text.contains("needs query"))

                try await brokers.down()
                for _ in 0..<3 { #expect(try await count(tally, &sent).contains("disk")) }
                #expect(try await count(tally, &sent) == ["disk"])
                try await eventually("/readyz tells") {
                    let answer = try await tally.client.get("/readyz")
                    return answer.status == 200 && answer.text.contains("does not take what is sent to it")
                }
                #expect(try await tally.client.metric("tally_log_away") == 1)
                #expect(try await tally.client.metric("tally_spool_chunks") ?? 0 > 0)

                try await tally.kill()
                let waiting = try sandbox.startServer(options: options)
                _ = try await waiting.wait(for: "the outage to be noticed") { report in
                    report.errorText.contains("waiting for the log") ? true : nil
                }
                try await brokers.up()
                tally = try await TallyProcess(waiting)
                try await tally.waitUntilReady()
                try await eventually("the spool is empty") { try await tally.client.metric("tally_spool_chunks") == 0 }
                #expect(try await count(tally, &sent) == [acknowledgement])
                try await eventually("the spool is empty") { try await tally.client.metric("tally_spool_chunks") == 0 }
                #expect(try await tally.client.get("/readyz").text == "ready\n")
                #expect(try await tally.terminate(within: .seconds(20)) == .code(0))

                let verified = try await sandbox.run("log", "verify", "--log", brokers.url)
                #expect(verified.exit == .code(0), "\(verified.output)\(verified.errors)")
                let dumped = try await sandbox.run("log", "dump", "--log", brokers.url)
                #expect(try counted(dumped.output) == sent)
            }
        }

        /// A batch over all partitions, plain requests, and one with an id.
        /// - Returns: what the receipts say of durability, each once.
        private func count(_ tally: TallyProcess, _ sent: inout [Int: Int]) async throws -> Set<String> {
            var receipts: [String] = []
            let batch = try await tally.client.post(events: (1...20).map { #"{"banner":\#($0)}"# })
            guard batch.status == 200 else { throw HarnessError("\(batch.status) \(batch.text)") }
            receipts.append(batch.header("Tally-Receipt") ?? "")
            for banner in 1...20 { sent[banner, default: 0] += 1 }
            for banner in 1...5 {
                let answer = try await tally.client.count(banner, id: banner == 5 ? "x\(sent[5] ?? 0)" : nil)
                guard answer.status == 204 else { throw HarnessError("\(answer.status) \(answer.text)") }
                receipts.append(answer.header("Tally-Receipt") ?? "")
                sent[banner, default: 0] += 1
            }
            #expect(receipts[0].split(separator: ", ").count == 3, "each partition has a receipt")
            #expect(receipts.dropFirst().allSatisfy { !$0.contains(", ") }, "one event lies in one partition")
            return Set(receipts.flatMap { receipt in receipt.matches(of: /durable=(\w+)/).map { String($0.1) } })
        }

        /// The clicks of each banner, each chunk once.
        private func counted(_ dump: String) throws -> [Int: Int] {
            var counts: [Int: Int] = [:]
            var seen: Set<String> = []
            for line in dump.split(separator: "\n") {
                let chunk = try #require(line.firstMatch(of: /node=(\w+) sequence=(\d+)/))
                guard seen.insert("\(chunk.1):\(chunk.2)").inserted else { continue }
                for match in line.matches(of: #/ (\d+)\+(\d+)/#) {
                    if let banner = Int(match.1), let count = Int(match.2) { counts[banner, default: 0] += count }
                }
            }
            return counts
        }
    }
}

#endif
