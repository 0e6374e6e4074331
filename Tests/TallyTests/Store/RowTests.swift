// SPDX-License-Identifier: Apache-2.0

import TallyCore
import Testing

@Suite("Row")
struct RowTests {
    @Test("an hour's counts are changed one by one")
    func countsChangeOneByOne() {
        var counts = RowCounts.zero(.hour)
        counts[0] = 5
        counts[59] += 7
        #expect(counts[0] == 5 && counts[1] == 0 && counts[59] == 7)
        #expect(counts.total == 12)
        #expect(counts.layout == .hour)
    }

    @Test("a minute has one count")
    func aMinuteHasOneCount() {
        var counts = RowCounts.zero(.minute)
        counts[0] = 3
        #expect(counts == .minute(3))
        #expect(counts.total == 3)
        #expect(counts.layout == .minute)
    }

    @Test("a full counter stays full")
    func aFullCounterStaysFull() {
        #expect(Int64.max.addingSaturated(1) == .max)
        #expect((Int64.max - 1).addingSaturated(1) == .max)
        #expect(Int64(2).addingSaturated(3) == 5)
        var counts = RowCounts.zero(.hour)
        counts[3] = .max
        counts[4] = 1
        #expect(counts.total == .max)
    }

    @Test("only minutes with a count are listed, ascending")
    func onlyCountedMinutesAreListed() {
        var row = StoreTest.row(1, minute: 7, count: 2, upTo: 1, .hour)
        row.counts[59] = 4
        let listed = row.minuteCounts
        #expect(listed.map(\.minute) == [StoreTest.minute(7), StoreTest.minute(59)])
        #expect(listed.map(\.count) == [2, 4])
        #expect(StoreTest.row(1, minute: 7, count: 0, upTo: 1, .minute).minuteCounts.isEmpty)
    }

    @Test("rows are ordered by banner, kind and start")
    func rowsAreOrdered() {
        let keys = [
            StoreTest.key(1, .click, minute: 5, .minute), StoreTest.key(1, .click, minute: 6, .minute),
            StoreTest.key(1, .impression, minute: 0, .minute), StoreTest.key(2, .click, minute: 0, .minute),
        ]
        #expect(keys.reversed().sorted() == keys)
    }

    @Test("an hour begins at a whole hour, a minute at itself")
    func rowsBeginWhereTheirLayoutSays() {
        #expect(Layout.hour.rowStart(of: StoreTest.minute(59)) == StoreTest.minute(0))
        #expect(Layout.hour.rowStart(of: StoreTest.minute(60)) == StoreTest.minute(60))
        #expect(Layout.minute.rowStart(of: StoreTest.minute(59)) == StoreTest.minute(59))
        #expect(Layout.hour.rowStart(of: .last).advanced(by: 59) == .last)
    }
}
