// SPDX-License-Identifier: Apache-2.0

import Foundation
import TallyCore
import TallySimulator
import Testing

@testable import TallyServer

@Suite("The hot path and the routes give the same answers, to the byte")
struct HotDifferenceTests {
    /// What differs between two runs of the same server: the date, and where in the log an event stands.
    private static func normalized(_ bytes: [UInt8]) -> String {
        // Byte by byte, since the answers hold bytes that are no text.
        String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
            .replacing(/Date: [A-Za-z0-9 ,:]+/, with: "Date: D")
            .replacing(/@[0-9]+; durable/, with: "@N; durable")
    }

    private struct Difference: CustomStringConvertible {
        let sent: String
        let hot: String
        let slow: String
        var description: String { "sent \(sent)\nhot:  \(hot.debugDescription)\nslow: \(slow.debugDescription)" }
    }

    /// A reset may cut an answer off on its way, and the same stream is then tried again, on both.
    private static func difference(
        _ stream: HotCorpus.Stream, _ hot: HotServer, _ slow: HotServer
    ) async throws -> Difference? {
        var found: Difference?
        for _ in 0..<3 {
            let answers = (
                normalized(try await hot.exchange(stream.pieces)), normalized(try await slow.exchange(stream.pieces))
            )
            if answers.0 == answers.1 { return nil }
            found = Difference(sent: stream.text, hot: answers.0, slow: answers.1)
        }
        return found
    }

    private static func differences(
        _ streams: [HotCorpus.Stream], _ hot: HotServer, _ slow: HotServer
    ) async throws -> [Difference] {
        let workers = 8
        return try await withThrowingTaskGroup(of: [Difference].self) { tasks in
            for worker in 0..<workers {
                tasks.addTask {
                    var found: [Difference] = []
                    for index in stride(from: worker, to: streams.count, by: workers) {
                        if let one = try await difference(streams[index], hot, slow) { found.append(one) }
                    }
                    return found
                }
            }
            return try await tasks.reduce(into: []) { $0 += $1 }
        }
    }

    private func compare(_ streams: [HotCorpus.Stream]) async throws {
        // A stream that leaves either waiting for more must not last for ever.
        let configuration = HTTPConfiguration(port: 0, requestTimeout: .seconds(10), idleTimeout: .seconds(10))
        try await HotServer.with(configuration: configuration) { hot in
            try await HotServer.with(hotPath: false, configuration: configuration) { slow in
                let found = try await Self.differences(streams, hot, slow)
                for difference in found.prefix(10) { Issue.record("\(difference)") }
                #expect(found.isEmpty, "\(found.count) of \(streams.count)")
                print("Hot difference test: \(streams.count) streams")
                let counts = (
                    try await hot.node.minuteCounts(in: .everything).value,
                    try await slow.node.minuteCounts(in: .everything).value
                )
                #expect(counts.0 == counts.1)
                #expect(!counts.0.isEmpty)
            }
        }
    }

    @Test func `for each request alone, behind and before a plain one, and broken off`() async throws {
        try await compare(HotCorpus.single)
    }

    @Test func `wherever a stream is cut in two, and byte by byte`() async throws { try await compare(HotCorpus.cut) }

    @Test func `for requests of all sorts behind one another, in pieces, with mistakes`() async throws {
        let seed = try CrashPlan.seedOfThisRun()
        print("Hot difference test: TALLY_SEED=\(seed)")
        var random = SeededGenerator(seed: seed)
        try await compare(HotCorpus.mixed(1_500, using: &random))
    }
}
