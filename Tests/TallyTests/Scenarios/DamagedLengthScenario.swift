// SPDX-License-Identifier: Apache-2.0

import TallySimulator
import Testing

@testable import TallyCore

/// The disk of a running server changed the length of a record, so that the record seemed to go on behind all that was
/// written. Whoever read it asked for more bytes again and again, got the same ones, and never came back.
@Suite("Scenario: a record that says it is longer than all that was written", .timeLimit(.minutes(1)))
struct DamagedLengthScenario {
    @Test("the reader gives what stands before it, and then says where the damage is", arguments: [1, 3, 5])
    func isTold(offset: Int64) throws {
        let bench = JournalBench()
        let journal = try bench.open()
        _ = try journal.append(SampleChunks.chunks(1...5))
        let record = try #require(bench.records(of: 1).first { $0.offset == LogOffset(offset) })
        // The second of its four bytes, the lowest being first.
        bench.disk.flip(JournalBench.name(1), byte: record.position + 1)

        if offset > 1 {
            let before = try journal.read(from: LogOffset(1), maximumBytes: 1 << 20)
            #expect(before.map(\.offset) == LogOffset.all(1...offset - 1))
        }
        #expect { try journal.read(from: LogOffset(offset), maximumBytes: 1 << 20) } throws: { error in
            guard case LogError.damaged(let text) = error else { return false }
            return text.contains("log offset \(offset)") && text.contains("beyond the end")
        }
    }
}
