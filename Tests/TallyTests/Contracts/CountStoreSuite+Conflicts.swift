// SPDX-License-Identifier: Apache-2.0

import TallyCore
import TallySimulator
import Testing

/// Two different sums of one row at one offset prove a fault, and are reported.
extension CountStoreSuite {
    static let promisesOfConflicts = [
        Promise("another sum at the same offset is reported with both sums") { try await $0.conflictsAreReported() },
        Promise("a conflict keeps no other row from being merged") { try await $0.conflictsKeepNoRowAway() },
        Promise("the same sum at the same offset is no conflict") { try await $0.repetitionsAreNoConflicts() },
        Promise("another sum at another offset is no conflict") { try await $0.otherOffsetsAreNoConflicts() },
        Promise("each log is compared with itself alone") { try await $0.logsDoNotConflict() },
        Promise("what lies before the horizon never conflicts") { try await $0.collapsedRowsDoNotConflict() },
        Promise("of many conflicts all are counted and some described") { try await $0.manyConflictsAreCounted() },
        Promise("a higher offset replaces a row that was in conflict") { try await $0.conflictsEnd() },
    ]

    func conflictsAreReported() async throws {
        try await store.merge([row(1, minute: 3, count: 5, upTo: 10)], of: StoreTest.log)
        let other = row(1, minute: 3, count: 4, upTo: 10)
        let conflicts = try await store.merge([other], of: StoreTest.log)
        #expect(conflicts.count == 1)
        #expect(
            conflicts.first == [
                RowConflict(
                    key: other.key, upTo: LogOffset(10), stored: row(1, minute: 3, count: 5, upTo: 10).counts,
                    given: other.counts)
            ])
    }

    func conflictsKeepNoRowAway() async throws {
        let stored = (1...20).map { row($0, minute: 0, count: 1, upTo: 5) }
        try await store.merge(stored, of: StoreTest.log)
        let given = (1...30).map { row($0, minute: 0, count: $0 == 7 ? 9 : $0 > 10 ? 2 : 1, upTo: $0 > 10 ? 6 : 5) }
        let conflicts = try await store.merge(given.shuffled(), of: StoreTest.log)
        #expect(conflicts.count == 1 && conflicts.first.map(\.key.banner.value) == [7])
        let found = try await store.rows(in: .everything).map(\.row)
        #expect(found.count == 30)
        #expect(Set(found.filter { $0.key.banner.value != 7 }) == Set(given.filter { $0.key.banner.value != 7 }))
        let seventh = found.filter { $0.key.banner.value == 7 }
        #expect(seventh == [stored[6]] || seventh == [given[6]])
    }

    func repetitionsAreNoConflicts() async throws {
        let flush = StoreTest.kinds.map { row(1, $0, minute: 0, count: 5, upTo: 3) }
        #expect(try await store.merge(flush, of: StoreTest.log).isEmpty)
        #expect(try await store.merge(flush, of: StoreTest.log).isEmpty)
        let more = flush + [row(2, minute: 0, count: 1, upTo: 3)]
        #expect(try await store.merge(more, of: StoreTest.log).isEmpty)
    }

    func otherOffsetsAreNoConflicts() async throws {
        for (count, upTo) in [(Int64(5), Int64(10)), (4, 9), (7, 12), (6, 11)] {
            #expect(
                try await store.merge([row(1, minute: 0, count: count, upTo: upTo)], of: StoreTest.log).isEmpty)
        }
    }

    func logsDoNotConflict() async throws {
        for (index, log) in StoreTest.logs.enumerated() {
            #expect(try await store.merge([row(1, minute: 0, count: Int64(index), upTo: 4)], of: log).isEmpty)
        }
    }

    func collapsedRowsDoNotConflict() async throws {
        try await store.merge([row(1, minute: 0, count: 5, upTo: 10)], of: StoreTest.log)
        let horizon = Horizon(collapsed: StoreTest.minute(60), dropped: StoreTest.minute(-600))
        try await store.expire(before: horizon, of: StoreTest.log)
        let given = [row(1, minute: 0, count: 4, upTo: 10), row(1, minute: 60, count: 1, upTo: 10)]
        #expect(try await store.merge(given, of: StoreTest.log).isEmpty)
        let sums = try await store.totals(in: .everything, with: []).map(\.count)
        #expect(sums == [6])
    }

    func manyConflictsAreCounted() async throws {
        let banners = Int64(1)...11_000
        try await store.merge(banners.map { row($0, minute: 0, count: 1, upTo: 1) }, of: StoreTest.log)
        let others = banners.map { row($0, minute: 0, count: $0 % 2 == 0 ? 2 : 1, upTo: 1) }
        let conflicts = try await store.merge(others, of: StoreTest.log)
        #expect(conflicts.count == 5_500)
        #expect(conflicts.first.count == Limits.conflictsKept)
        #expect(Set(conflicts.first.map(\.key)).count == Limits.conflictsKept)
        for conflict in conflicts.first { #expect(conflict.key.banner.value % 2 == 0) }
    }

    func conflictsEnd() async throws {
        for count in Int64(1)...2 {
            try await store.merge([row(1, minute: 0, count: count, upTo: 1)], of: StoreTest.log)
        }
        let higher = row(1, minute: 0, count: 3, upTo: 2)
        #expect(try await store.merge([higher], of: StoreTest.log).isEmpty)
        #expect(try await store.merge([higher], of: StoreTest.log).isEmpty)
        #expect(try await store.rows(of: StoreTest.log, at: [higher.key]) == [higher])
    }
}
