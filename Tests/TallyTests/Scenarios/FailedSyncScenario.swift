// SPDX-License-Identifier: Apache-2.0

import TallySimulator
import Testing

@testable import TallyCore

/// A sync failed, the process was started again, and the power went. Linux shows the records of the failed sync as long as
/// the machine runs, and passes them by in every later sync. The recovery took them for durable, new chunks were
/// acknowledged behind them, and with the power went the records in the middle: the journal was damaged.
@Suite("Scenario: a failed sync, a new process, a loss of power")
struct FailedSyncScenario {
    @Test("what the recovery takes over stays")
    func recoveredRecordsStay() throws {
        let bench = JournalBench()
        let journal = try bench.open()
        _ = try journal.append([SampleChunks.chunk(1)])
        bench.disk.failNext(.sync, with: .failed("input/output error"))
        #expect(throws: LogError.self) { try journal.append([SampleChunks.chunk(2)]) }

        bench.disk.restartProcess()
        let restarted = try bench.open()
        #expect(restarted.lastOffset == LogOffset(2))
        _ = try restarted.append([SampleChunks.chunk(3)])

        bench.disk.loseUnsynced()
        let recovered = try bench.open()
        #expect(recovered.lastOffset == LogOffset(3))
        let chunks = try recovered.read(from: LogOffset(1), maximumBytes: 1 << 20).map(\.chunk)
        #expect(chunks == SampleChunks.chunks(1...3))
    }
}
