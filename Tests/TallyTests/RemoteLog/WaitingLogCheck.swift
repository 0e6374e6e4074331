// SPDX-License-Identifier: Apache-2.0

import TallyCore
import Testing

/// What a log promises that wakes its readers; it must be empty, and of partition 0.
struct WaitingLogCheck {
    private let log: any WaitingLog
    private let node = NodeID(process: SampleChunks.node, partition: 0)

    init(_ log: any EventLog) throws { self.log = try #require(log as? any WaitingLog) }

    func run() async throws {
        let start = ContinuousClock.now
        await log.wait(for: LogOffset(1), within: .milliseconds(200))
        // Far more than it waits, since a busy machine takes its time.
        #expect(ContinuousClock.now - start < .seconds(60))
        // From an empty log, from the end, and after long silence: nothing is lost, and nothing comes twice.
        var next = LogOffset(1)
        var sequences: [UInt64] = []
        for round in UInt64(0)..<20 {
            async let appended = log.append(SampleChunks.chunks(round * 2 + 1...round * 2 + 2, of: node))
            while sequences.count < (round + 1) * 2 {
                let entries = try await log.read(from: next, maximumBytes: 10_000)
                sequences += entries.map(\.chunk.sequence)
                next = entries.last?.offset.next ?? next
                if entries.isEmpty { await log.wait(for: next, within: .milliseconds(500)) }
            }
            _ = try await appended
            if round % 5 == 0 { await log.wait(for: next, within: .milliseconds(50)) }
        }
        #expect(sequences == Array(1...40))
        // A reader that begins elsewhere meanwhile finds its place.
        let again = try await log.read(from: LogOffset(1), maximumBytes: 1)
        #expect(again.first?.chunk.sequence == 1)
        await log.wait(for: next, within: .milliseconds(50))
        #expect(try await log.read(from: next, maximumBytes: 1).isEmpty)
    }
}
