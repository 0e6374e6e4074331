// SPDX-License-Identifier: Apache-2.0

#if Kafka

import Foundation
import TallyBackends
import Testing

/// A mock of a Kafka cluster, of this test alone: its brokers can be killed, moved and made to fail.
final class KafkaMock: Sendable {
    static let program = TestServers.variable("TALLY_TEST_KAFKA_MOCK")

    private let process: ChildProcess
    private let directory: DiskTestDirectory
    let servers: String

    init() async throws {
        let program = try #require(KafkaMock.program)
        directory = try DiskTestDirectory()
        process = try ChildProcess(
            executable: program, arguments: ["\(directory.path)/commands", "3"], environment: [:])
        servers = try await process.wait(for: "the brokers' addresses") { report in
            report.outputText.contains("\n") ? report.outputText.split(separator: "\n").first.map(String.init) : nil
        }
    }

    /// With a topic `t`, of whose partitions each broker has a copy.
    convenience init(partitions: Int) async throws {
        try await self.init()
        try await tell("topic t \(partitions) 3")
    }

    /// Does what `Tests/KafkaMock` describes.
    func tell(_ command: String) async throws {
        let answers = KafkaMock.answers(process.report)
        let pipe = try FileHandle(forWritingTo: URL(filePath: "\(directory.path)/commands"))
        try pipe.write(contentsOf: Data("\(command)\n".utf8))
        try pipe.close()
        let answer = try await process.wait(for: "the answer to \(command)") { report in
            let now = KafkaMock.answers(report)
            return now.count > answers.count ? now.last : nil
        }
        guard answer == "ok" else { throw HarnessError("\(command): \(answer)") }
    }

    private static func answers(_ report: ChildProcess.Report) -> [String] {
        report.outputText.split(separator: "\n").dropFirst().map(String.init)
    }

    /// - Parameter query: more properties, as they stand in a URL.
    func logs(_ topic: String, _ query: String = "", poisoned: PoisonedMessages = PoisonedMessages()) async throws
        -> KafkaLogs
    {
        // A client that waits between two tries to connect would only make the tests longer.
        let quick = "reconnect.backoff.ms=50&reconnect.backoff.max.ms=100&retry.backoff.ms=50"
        return try await KafkaLogs.open(
            KafkaURL("kafka://\(servers)/\(topic)?\(quick)&\(query)"), poisoned: poisoned)
    }
}

#endif
