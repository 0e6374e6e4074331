// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TallyCore

/// A server began to count a partition and had read its checkpoint, when the one that had counted it before flushed a last
/// time and let the log drop what that flush had stored. What was to be read next was gone. That was taken for a store
/// that was lost, and the partition was not counted again until it moved.
@Suite("Scenario: a partition that was counted further while another server began with it")
struct OutrunStartScenario {
    private let log = LogID("brokers/0")!

    @Test("it begins again at once, from the newer checkpoint")
    func beginsAgain() {
        var duties = PartitionDuties()
        #expect(duties.assign([0]) == [.begin(0)])
        let error = StartError.storeBehindLog(log: log, first: LogOffset(8))
        #expect(duties.didEnd(0, PartitionDuties.Ending(error)) == .begin(0))
        duties.didCatchUp(0)
        #expect(duties.problem(of: 0) == nil)
    }

    @Test("when the store does lack what was dropped, that is said, and asked for again and again")
    func staysBehind() {
        var duties = PartitionDuties()
        _ = duties.assign([0])
        let error = StartError.storeBehindLog(log: log, first: LogOffset(8))
        _ = duties.didEnd(0, PartitionDuties.Ending(error))
        #expect(duties.didEnd(0, PartitionDuties.Ending(error)) == .wait(0, failures: 2))
        #expect(duties.problem(of: 0) == error.description)
    }
}
