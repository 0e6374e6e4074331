// SPDX-License-Identifier: Apache-2.0

import TallyCore
import Testing

@Suite("When a start has counted what its partitions held")
struct StartCatchUpTests {
    @Test("not before the partitions are known, and each is counted to its end")
    func onePartitionAfterTheOther() {
        var start = StartCatchUp()
        #expect(start.pending == nil && !start.isOver)
        start.didCatchUp(1)
        start.assign([1, 4])
        #expect(start.pending == [1, 4] && !start.isOver)
        start.didCatchUp(4)
        start.didCatchUp(4)
        #expect(start.pending == [1] && !start.isOver)
        start.didCatchUp(1)
        #expect(start.isOver)
    }

    @Test("a process without partitions has nothing to wait for")
    func nothingAssigned() {
        var start = StartCatchUp()
        start.assign([])
        #expect(start.isOver)
    }

    @Test("what goes to another process is not waited for, and what comes back is read again")
    func movingPartitions() {
        var start = StartCatchUp()
        start.assign([0, 1, 2])
        start.didCatchUp(0)
        start.assign([1, 2])
        start.didCatchUp(0)
        start.assign([0, 1])
        #expect(start.pending == [0, 1] && !start.isOver)
        start.didCatchUp(1)
        start.assign([1])
        #expect(start.isOver)
    }

    @Test("once over, a start stays over")
    func stayingOver() {
        var start = StartCatchUp()
        start.assign([0])
        start.didCatchUp(0)
        start.assign([0, 1, 2])
        #expect(start.isOver)
    }
}
