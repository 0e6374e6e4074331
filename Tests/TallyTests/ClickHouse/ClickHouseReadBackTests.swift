// SPDX-License-Identifier: Apache-2.0

import TallyCore
import Testing

@testable import TallyBackends

@Suite("When ClickHouse reads a flush back")
struct ClickHouseReadBackTests {
    private var readBack = ClickHouseReadBack()

    private func rows(_ minute: Int64, upTo: Int64) -> [Row] {
        [StoreTest.row(1, minute: minute, count: 1, upTo: upTo, .minute)]
    }

    @Test("the first flush, and each that is cheap to read")
    mutating func cheap() {
        #expect(!readBack.isDue, "nothing was written")
        for upTo in Int64(1)...5 {
            readBack.add(rows(0, upTo: upTo), writtenIn: .milliseconds(1))
            #expect(readBack.isDue)
            readBack.didRead(readBack.extent, in: .milliseconds(100))
            #expect(readBack.extent == nil && !readBack.isDue)
        }
    }

    @Test("what takes long waits until writing took long enough, and covers all that was written")
    mutating func expensive() throws {
        readBack.add(rows(0, upTo: 1), writtenIn: .seconds(1))
        readBack.didRead(readBack.extent, in: .seconds(3))
        readBack.add(rows(5, upTo: 7), writtenIn: .seconds(6))
        #expect(!readBack.isDue)
        readBack.add(rows(2, upTo: 3), writtenIn: .seconds(4))
        #expect(readBack.isDue)
        let extent = try #require(readBack.extent)
        #expect(extent.offsets == 3...7)
        #expect(extent.starts == StoreTest.minute(2).unixSeconds...StoreTest.minute(5).unixSeconds)
    }

    @Test("what could not be read, and what was written meanwhile, is read later")
    mutating func failed() {
        readBack.add(rows(0, upTo: 1), writtenIn: .seconds(1))
        let first = readBack.extent
        readBack.didRead(nil, in: .milliseconds(1))
        #expect(readBack.extent == first && readBack.isDue)
        readBack.add(rows(0, upTo: 2), writtenIn: .seconds(1))
        readBack.didRead(first, in: .milliseconds(1))
        #expect(readBack.extent?.offsets == 1...2)
    }
}
