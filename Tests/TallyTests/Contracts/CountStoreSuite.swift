// SPDX-License-Identifier: Apache-2.0

import TallyCore
import TallySimulator
import Testing

/// What `CountStore` promises. Every implementation keeps every promise, starting from an empty store.
struct CountStoreSuite {
    let store: any CountStore
    var layout: Layout { store.layout }

    struct Promise: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let check: @Sendable (CountStoreSuite) async throws -> Void

        init(_ sentence: String, _ check: @escaping @Sendable (CountStoreSuite) async throws -> Void) {
            testDescription = sentence
            self.check = check
        }
    }

    static let promises = promisesOfRows + promisesOfRanges + promisesOfConflicts + promisesOfSightings

    private static let promisesOfRows = [
        Promise("an empty store has nothing") { try await $0.anEmptyStoreHasNothing() },
        Promise("nothing may be asked and merged") { try await $0.nothingMayBeAskedAndMerged() },
        Promise("the higher offset wins") { try await $0.theHigherOffsetWins() },
        Promise("merging twice is merging once") { try await $0.mergingTwiceIsMergingOnce() },
        Promise("any order, repetition and cut of flushes ends in the same rows") {
            try await $0.anyOrderEndsTheSame()
        },
        Promise("each log has rows of its own") { try await $0.eachLogHasRowsOfItsOwn() },
        Promise("look-ups leave out what is not there") { try await $0.lookUpsLeaveOutWhatIsNotThere() },
        Promise("both ends of a range are included") { try await $0.bothEndsOfARangeAreIncluded() },
        Promise("rows that reach into a range come whole") { try await $0.rowsThatReachIntoARangeComeWhole() },
        Promise("a range chooses banners and kinds") { try await $0.aRangeChoosesBannersAndKinds() },
        Promise("an underscore in a kind is a letter like others") { try await $0.underscoresAreLetters() },
        Promise("the first and the last minute of all can be counted") { try await $0.theEndsOfTimeCanBeCounted() },
        Promise("totals add up logs and minutes of the range alone") { try await $0.totalsAddUpTheRangeAlone() },
        Promise("totals with unflushed rows are totals after merging them") { try await $0.totalsSeeUnflushedRows() },
        Promise("totals stay at the largest count") { try await $0.totalsStayAtTheLargestCount() },
        Promise("a count that fell to nothing leaves the span of its total") { try await $0.aSpanCanShrink() },
        Promise("the largest values come back as they were") { try await $0.theLargestValuesComeBack() },
        Promise("a checkpoint comes back as it was, and never goes back") { try await $0.checkpointsNeverGoBack() },
        Promise("each log has a checkpoint of its own") { try await $0.eachLogHasACheckpoint() },
        Promise("logs are known by their rows or their checkpoints") { try await $0.logsAreKnown() },
        Promise("old rows become quarters of hours, and the oldest go") { try await $0.oldRowsBecomeHours() },
        Promise("what is collapsed is never begun anew") { try await $0.nothingBehindTheHorizonIsBegunAnew() },
        Promise("a horizon never goes back, and is each log's own") { try await $0.horizonsNeverGoBack() },
        Promise("the latest horizon of a log is known") { try await $0.theLatestHorizonIsKnown() },
        Promise("collapsing rows at random ends as in the reference") { try await $0.expiryEndsAsInTheReference() },
        Promise("20,000 rows can be merged at once") { try await $0.manyRowsCanBeMergedAtOnce() },
        Promise("calls may overlap") { try await $0.callsMayOverlap() },
    ]

    // MARK: - The one rule

    func anEmptyStoreHasNothing() async throws {
        #expect(try await rows().isEmpty)
        #expect(try await store.rows(of: StoreTest.log, at: [StoreTest.key(1, minute: 0, layout)]).isEmpty)
        #expect(try await totals().isEmpty)
        #expect(try await store.checkpoint(of: StoreTest.log) == nil)
    }

    func nothingMayBeAskedAndMerged() async throws {
        try await store.merge([], of: StoreTest.log)
        #expect(try await store.rows(of: StoreTest.log, at: []).isEmpty)
        try await store.merge([row(1, minute: 0, count: 1, upTo: 1)], of: StoreTest.log)
        let nobody = RowRange(banners: [], minutes: .first ... .last)
        let noKind = RowRange(kinds: [], minutes: .first ... .last)
        for range in [nobody, noKind] {
            #expect(try await rows(in: range).isEmpty)
            #expect(try await totals(in: range).isEmpty)
        }
    }

    func theHigherOffsetWins() async throws {
        try await store.merge([row(1, minute: 0, count: 5, upTo: 10)], of: StoreTest.log)
        try await store.merge([row(1, minute: 0, count: 4, upTo: 9)], of: StoreTest.log)
        #expect(try await lookUp(1, minute: 0) == [row(1, minute: 0, count: 5, upTo: 10)])
        try await store.merge([row(1, minute: 0, count: 5, upTo: 10)], of: StoreTest.log)
        #expect(
            try await lookUp(1, minute: 0) == [row(1, minute: 0, count: 5, upTo: 10)], "an equal offset changes nothing"
        )
        try await store.merge([row(1, minute: 0, count: 7, upTo: 11)], of: StoreTest.log)
        #expect(try await lookUp(1, minute: 0) == [row(1, minute: 0, count: 7, upTo: 11)])
    }

    func mergingTwiceIsMergingOnce() async throws {
        let flush = (1...5).map { row($0, minute: 0, count: $0, upTo: 3) }
        try await store.merge(flush, of: StoreTest.log)
        let once = try await rows()
        try await store.merge(flush, of: StoreTest.log)
        try await store.merge(Array(flush.reversed().dropLast(2)), of: StoreTest.log)
        #expect(try await rows() == once)
    }

    func anyOrderEndsTheSame() async throws {
        for seed in UInt64(1)...8 {
            var random = SeededGenerator(seed: seed)
            // A log of its own for each seed: the store stays the same.
            let log = LogID("log-\(seed)")!
            var state: [RowKey: Row] = [:]
            var flushes: [[Row]] = []
            for offset in Int64(1)...30 {
                var row = StoreTest.randomRow(layout, using: &random)
                row.upTo = LogOffset(offset)
                if let before = state[row.key] { row.counts = added(before.counts, row.counts) }
                state[row.key] = row
                if random.isTrue(oneIn: 3) { flushes.append(Array(state.values)) }
            }
            let cut = flushes.map { flush in Array(flush.shuffled(using: &random).prefix(flush.count / 2)) }
            for flush in (flushes + cut + [Array(state.values)]).shuffled(using: &random) {
                try await store.merge(flush, of: log)
            }
            let found = try await store.rows(in: .everything).filter { $0.log == log }.map(\.row)
            #expect(Set(found) == Set(state.values), "seed \(seed)")
            #expect(found.count == state.count, "seed \(seed)")
        }
    }

    func eachLogHasRowsOfItsOwn() async throws {
        for (index, log) in StoreTest.logs.enumerated() {
            try await store.merge([row(1, minute: 0, count: Int64(index + 1), upTo: Int64(9 - index))], of: log)
        }
        for (index, log) in StoreTest.logs.enumerated() {
            let expected = row(1, minute: 0, count: Int64(index + 1), upTo: Int64(9 - index))
            #expect(try await store.rows(of: log, at: [expected.key]) == [expected])
        }
        #expect(try await rows().count == StoreTest.logs.count)
        #expect(try await totals() == [StoreTest.total(1, count: 6, minutes: 0...0)])
    }

    // MARK: - Reading

    func lookUpsLeaveOutWhatIsNotThere() async throws {
        let present = row(1, minute: 0, count: 1, upTo: 1)
        try await store.merge([present], of: StoreTest.log)
        let absent = [
            StoreTest.key(2, minute: 0, layout), StoreTest.key(1, minute: 60, layout),
            StoreTest.key(1, .impression, minute: 0, layout),
        ]
        #expect(try await store.rows(of: StoreTest.log, at: absent + [present.key]) == [present])
        #expect(try await store.rows(of: StoreTest.logs[1], at: [present.key]).isEmpty)
    }

    func bothEndsOfARangeAreIncluded() async throws {
        let stored = [-60, 0, 60, 120].map { row(1, minute: $0, count: 1, upTo: 1) }
        try await store.merge(stored, of: StoreTest.log)
        let range = RowRange(minutes: StoreTest.minutes(0...60))
        #expect(try await rows(in: range) == Set(stored[1...2].map { StoredRow(log: StoreTest.log, row: $0) }))
        #expect(try await totals(in: range) == [StoreTest.total(1, count: 2, minutes: 0...60)])
        let between = RowRange(minutes: StoreTest.minutes(61...119))
        #expect(try await totals(in: between).isEmpty)
    }

    func rowsThatReachIntoARangeComeWhole() async throws {
        var row = row(1, minute: 5, count: 5, upTo: 1)
        if layout == .hour { for minute in 0..<60 { row.counts[minute] = Int64(minute) } }
        try await store.merge([row], of: StoreTest.log)
        let own = layout == .hour ? Int64(0)...59 : 5...5
        for minute in [own.lowerBound, own.upperBound] {
            let range = RowRange(minutes: StoreTest.minutes(minute...minute))
            #expect(try await rows(in: range) == [StoredRow(log: StoreTest.log, row: row)])
            let expected = minute == 0 ? [] : [StoreTest.total(1, count: minute, minutes: minute...minute)]
            #expect(try await totals(in: range) == Set(expected))
        }
        for minute in [own.lowerBound - 1, own.upperBound + 1] {
            #expect(try await rows(in: RowRange(minutes: StoreTest.minutes(minute...minute))).isEmpty)
        }
    }

    func aRangeChoosesBannersAndKinds() async throws {
        let stored = (1...3).flatMap { id in StoreTest.kinds.map { row(id, $0, minute: 0, count: id, upTo: 1) } }
        try await store.merge(stored, of: StoreTest.log)
        let range = RowRange(
            banners: [StoreTest.banner(1), StoreTest.banner(3), StoreTest.banner(9)],
            kinds: [.click, StoreTest.view, Kind("unheard_of")!], minutes: StoreTest.minutes(-10...10))
        let expected = stored.filter { $0.key.banner.value != 2 && [.click, StoreTest.view].contains($0.key.kind) }
        #expect(try await rows(in: range) == Set(expected.map { StoredRow(log: StoreTest.log, row: $0) }))
        #expect(
            try await totals(in: range)
                == Set(
                    expected.map {
                        Total(
                            banner: $0.key.banner, kind: $0.key.kind, count: $0.key.banner.value,
                            minutes: StoreTest.minutes(0...0))
                    }))
    }

    func underscoresAreLetters() async throws {
        let kinds = ["a_b", "axb", "a__", "a_"].map { Kind($0)! }
        let stored = kinds.enumerated().map { row(1, $0.element, minute: 0, count: Int64($0.offset + 1), upTo: 1) }
        try await store.merge(stored, of: StoreTest.log)
        for row in stored {
            let range = RowRange(kinds: [row.key.kind], minutes: .first ... .last)
            #expect(try await rows(in: range) == [StoredRow(log: StoreTest.log, row: row)])
            #expect(try await totals(in: range).map(\.count) == [row.counts.total])
            #expect(try await store.rows(of: StoreTest.log, at: [row.key]) == [row])
        }
    }

    func theEndsOfTimeCanBeCounted() async throws {
        var first = RowCounts.zero(layout)
        first[0] = 1
        var last = RowCounts.zero(layout)
        last[layout.minutesPerRow - 1] = 2
        let banner = BannerID(Int64.max)!
        let stored = [(Minute.first, first), (layout.rowStart(of: .last), last)].map { start, counts in
            Row(key: RowKey(banner: banner, kind: .click, start: start), counts: counts, upTo: LogOffset(1))
        }
        try await store.merge(stored, of: StoreTest.log)
        #expect(try await rows() == Set(stored.map { StoredRow(log: StoreTest.log, row: $0) }))
        #expect(try await totals() == [Total(banner: banner, kind: .click, count: 3, minutes: .first ... .last)])
        let end = RowRange(banners: [banner], minutes: .last ... .last)
        #expect(try await totals(in: end) == [Total(banner: banner, kind: .click, count: 2, minutes: .last ... .last)])
    }

    // MARK: - Totals

    func totalsAddUpTheRangeAlone() async throws {
        var random = SeededGenerator(seed: 5)
        for log in StoreTest.logs {
            try await store.merge(StoreTest.randomRows(layout, atMost: 80, using: &random), of: log)
        }
        for _ in 0..<40 {
            let range = StoreTest.randomRange(using: &random)
            var sums = TotalSums()
            for stored in try await store.rows(in: range) { sums.add(stored.row, within: range.minutes) }
            #expect(try await totals(in: range) == Set(sums.totals), "\(range)")
        }
    }

    func totalsSeeUnflushedRows() async throws {
        for seed in UInt64(1)...6 {
            var random = SeededGenerator(seed: seed)
            let unflushed = StoreTest.unflushed(
                StoreTest.randomRows(layout, atMost: 40, using: &random), using: &random)
            let ranges = [RowRange.everything] + (0..<10).map { _ in StoreTest.randomRange(using: &random) }
            var before: [Set<Total>] = []
            for range in ranges { before.append(try await totals(in: range, with: unflushed)) }
            for one in unflushed { try await store.merge([one.row], of: one.log) }
            for (range, expected) in zip(ranges, before) {
                #expect(try await totals(in: range) == expected, "seed \(seed), \(range)")
            }
            try await store.merge(StoreTest.randomRows(layout, atMost: 40, using: &random), of: StoreTest.logs[1])
        }
    }

    func totalsStayAtTheLargestCount() async throws {
        let full = [0, 60].map { row(1, minute: $0, count: .max, upTo: 1) }
        try await store.merge(full + [row(2, minute: 0, count: .max, upTo: 1)], of: StoreTest.logs[0])
        try await store.merge(full, of: StoreTest.logs[1])
        let expected: Set = [
            StoreTest.total(1, count: .max, minutes: 0...60), StoreTest.total(2, count: .max, minutes: 0...0),
        ]
        #expect(try await totals() == expected)
        #expect(
            try await totals(with: [StoredRow(log: StoreTest.logs[2], row: row(2, minute: 0, count: .max, upTo: 5))])
                == expected)
    }

    func aSpanCanShrink() async throws {
        try await store.merge([0, 60, 120].map { row(1, minute: $0, count: 1, upTo: 1) }, of: StoreTest.log)
        let emptied = [row(1, minute: 0, count: 0, upTo: 2), row(1, minute: 60, count: 3, upTo: 2)]
        let expected: Set = [StoreTest.total(1, count: 4, minutes: 60...120)]
        #expect(try await totals(with: emptied.map { StoredRow(log: StoreTest.log, row: $0) }) == expected)
        try await store.merge(emptied, of: StoreTest.log)
        #expect(try await totals() == expected)
    }

    func theLargestValuesComeBack() async throws {
        let row = Row(
            key: RowKey(
                banner: BannerID(Int64.max)!, kind: Kind(String(repeating: "k", count: Limits.kindNameBytes))!,
                start: .first),
            counts: layout == .minute ? .minute(.max) : .hour(Array(repeating: .max, count: 60)),
            upTo: LogOffset(.max))
        let log = LogID(String(repeating: "l", count: 128))!
        try await store.merge([row], of: log)
        #expect(try await store.rows(of: log, at: [row.key]) == [row])
        #expect(try await rows() == [StoredRow(log: log, row: row)])
    }

    // MARK: - Checkpoints

    func checkpointsNeverGoBack() async throws {
        let log = StoreTest.log
        for (saved, expected) in [(5, 5), (4, 5), (5, 5), (9, 9), (0, 9)] as [(Int64, Int64)] {
            try await store.save(StoreTest.checkpoint(upTo: saved), of: log)
            #expect(try await store.checkpoint(of: log) == StoreTest.checkpoint(upTo: expected))
        }
        var changed = StoreTest.checkpoint(upTo: 9)
        changed.timeBefore = Timestamp(milliseconds: 77_000)
        try await store.save(changed, of: log)
        #expect(try await store.checkpoint(of: log) == changed, "the same offset may be saved again")
    }

    func eachLogHasACheckpoint() async throws {
        try await store.save(.start, of: StoreTest.logs[0])
        try await store.save(StoreTest.checkpoint(upTo: 3), of: StoreTest.logs[1])
        #expect(try await store.checkpoint(of: StoreTest.logs[0]) == .start)
        #expect(try await store.checkpoint(of: StoreTest.logs[1]) == StoreTest.checkpoint(upTo: 3))
        #expect(try await store.checkpoint(of: StoreTest.logs[2]) == nil)
    }

    func logsAreKnown() async throws {
        #expect(try await store.logs().isEmpty)
        try await store.save(.start, of: StoreTest.logs[2])
        try await store.merge([row(1, minute: 0, count: 1, upTo: 1)], of: StoreTest.logs[0])
        #expect(try await store.logs() == [StoreTest.logs[0], StoreTest.logs[2]])
    }

    // MARK: - Retention

    /// Rows of five hours, of two kinds, each with an offset of its own; some full, one without a count.
    private func fiveHours() -> [Row] {
        var rows: [RowKey: Row] = [:]
        for minute in [-180, -179, -121, -120, -119, -61, -60, -1, 0, 1, 59, 60, 119] as [Int64] {
            for kind in [Kind.click, StoreTest.view] {
                let count = minute == -61 ? Int64.max : minute + 200
                // In the layout `hour` one row an hour: the last of those.
                let row = row(1, kind, minute: minute, count: count, upTo: minute + 200)
                rows[row.key] = row
            }
        }
        return rows.values.sorted { $0.key < $1.key }
    }

    func oldRowsBecomeHours() async throws {
        let all = fiveHours()
        try await store.merge(all, of: StoreTest.log)
        try await store.merge(all, of: StoreTest.logs[1])
        let horizon = Horizon(collapsed: StoreTest.minute(30), dropped: StoreTest.minute(-90))
        for _ in 0..<2 {
            try await store.expire(before: horizon, of: StoreTest.log)
            var expected = StoredCounts()
            expected.merge(all, of: StoreTest.log)
            expected.merge(all, of: StoreTest.logs[1])
            expected.expire(before: horizon, of: StoreTest.log)
            #expect(try await rows() == Set(expected.rows(in: .everything, layout: layout)))
        }
        let own = try await store.rows(in: .everything).filter { $0.log == StoreTest.log }.map(\.row)
        #expect(own.allSatisfy { $0.key.start >= StoreTest.minute(-120) }, "the oldest are gone")
        let old = own.filter { $0.key.start < StoreTest.minute(0) }
        let quarters: [Int64] = layout == .minute ? [-120, -75, -60, -15] : [-75, -15]
        #expect(Set(old.flatMap { $0.minuteCounts.map(\.minute) }) == Set(quarters.map { StoreTest.minute($0) }))
        #expect(old.contains { $0.counts.total == .max }, "a full count stays full")
    }

    func nothingBehindTheHorizonIsBegunAnew() async throws {
        let rows = (0..<3).map { row(1, minute: $0 * 60, count: 5, upTo: 10) }
        try await store.merge(rows, of: StoreTest.log)
        try await store.expire(before: Horizon(collapsed: StoreTest.minute(60), dropped: .first), of: StoreTest.log)
        let before = try await self.rows()
        // Somebody who was stopped before, and wakes up now.
        try await store.merge(
            [row(1, minute: 17, count: 3, upTo: 9), row(2, minute: 17, count: 3, upTo: 9)], of: StoreTest.log)
        #expect(try await self.rows() == before)
        try await store.merge([row(1, minute: 60, count: 6, upTo: 11)], of: StoreTest.log)
        #expect(
            try await lookUp(1, minute: 60) == [row(1, minute: 60, count: 6, upTo: 11)], "what is newer still changes")
        try await store.merge([row(1, minute: 17, count: 3, upTo: 9)], of: StoreTest.logs[1])
        #expect(
            try await totals() == [StoreTest.total(1, count: 19, minutes: 0...120)], "another log has its own horizon")
    }

    func horizonsNeverGoBack() async throws {
        try await store.expire(
            before: Horizon(collapsed: StoreTest.minute(60), dropped: StoreTest.minute(0)), of: StoreTest.log)
        try await store.expire(before: Horizon(collapsed: StoreTest.minute(0), dropped: .first), of: StoreTest.log)
        try await store.merge([row(1, minute: 30, count: 1, upTo: 1)], of: StoreTest.log)
        #expect(try await rows().isEmpty)
        try await store.merge([row(1, minute: 60, count: 1, upTo: 1)], of: StoreTest.log)
        try await store.merge([row(1, minute: -600, count: 1, upTo: 1)], of: StoreTest.logs[1])
        #expect(try await totals() == [StoreTest.total(1, count: 2, minutes: -600...60)])
    }

    func theLatestHorizonIsKnown() async throws {
        #expect(try await store.horizon(of: StoreTest.log) == Horizon.none)
        try await store.merge([row(1, minute: 0, count: 1, upTo: 1)], of: StoreTest.log)
        try await store.save(.start, of: StoreTest.logs[1])
        #expect(try await store.horizon(of: StoreTest.log) == Horizon.none, "rows have no horizon of their own")
        for (collapsed, dropped) in [(60, -60), (0, 0), (120, -120)] as [(Int64, Int64)] {
            let horizon = Horizon(collapsed: StoreTest.minute(collapsed), dropped: StoreTest.minute(dropped))
            try await store.expire(before: horizon, of: StoreTest.log)
        }
        let latest = Horizon(collapsed: StoreTest.minute(120), dropped: StoreTest.minute(0))
        #expect(try await store.horizon(of: StoreTest.log) == latest)
        #expect(try await store.horizon(of: StoreTest.logs[1]) == Horizon.none)
    }

    func expiryEndsAsInTheReference() async throws {
        for seed in UInt64(1)...4 {
            var random = SeededGenerator(seed: seed)
            let log = LogID("log-\(seed)")!
            var reference = StoredCounts()
            for _ in 0..<12 {
                let batch = StoreTest.randomRows(layout, atMost: 30, using: &random)
                try await store.merge(batch, of: log)
                reference.merge(batch, of: log)
                let collapsed = random.number(-120...60)
                let horizon = Horizon(
                    collapsed: StoreTest.minute(collapsed), dropped: StoreTest.minute(collapsed - random.number(0...90))
                )
                guard random.isTrue(oneIn: 3) else { continue }
                try await store.expire(before: horizon, of: log)
                reference.expire(before: horizon, of: log)
            }
            let found = try await store.rows(in: .everything).filter { $0.log == log }
            #expect(Set(found) == Set(reference.rows(in: .everything, layout: layout)), "seed \(seed)")
        }
    }

    // MARK: - Many

    func manyRowsCanBeMergedAtOnce() async throws {
        let stored = (0..<20_000).map { index in
            row(Int64(index % 40 + 1), minute: Int64(index / 40 * layout.minutesPerRow), count: 1, upTo: 1)
        }
        try await store.merge(stored.shuffled(), of: StoreTest.log)
        #expect(try await rows() == Set(stored.map { StoredRow(log: StoreTest.log, row: $0) }))
        let totals = try await totals()
        #expect(totals.count == 40)
        #expect(totals.allSatisfy { $0.count == 500 })
        #expect(Set(try await store.rows(of: StoreTest.log, at: stored.map(\.key))) == Set(stored))
    }

    func callsMayOverlap() async throws {
        let store = store
        let layout = layout
        try await withThrowingTaskGroup(of: Void.self) { group in
            for upTo in Int64(1)...20 {
                group.addTask {
                    let rows = (1...20).map { StoreTest.row($0, minute: 0, count: upTo, upTo: upTo, layout) }
                    try await store.merge(rows, of: StoreTest.log)
                    try await store.save(StoreTest.checkpoint(upTo: upTo), of: StoreTest.log)
                    let totals = try await store.totals(in: .everything, with: [])
                    #expect(totals.count == 20 && totals.allSatisfy { $0.count >= upTo })
                }
            }
            try await group.waitForAll()
        }
        #expect(try await rows().map(\.row.upTo) == Array(repeating: LogOffset(20), count: 20))
        #expect(try await store.checkpoint(of: StoreTest.log)?.upTo == LogOffset(20))
    }

    // MARK: - Helpers

    func row(_ id: Int64, _ kind: Kind = .click, minute: Int64, count: Int64, upTo: Int64) -> Row {
        StoreTest.row(id, kind, minute: minute, count: count, upTo: upTo, layout)
    }

    private func lookUp(_ id: Int64, minute: Int64) async throws -> [Row] {
        try await store.rows(of: StoreTest.log, at: [StoreTest.key(id, minute: minute, layout)])
    }

    /// Fails when a row comes twice.
    private func rows(in range: RowRange = .everything) async throws -> Set<StoredRow> {
        let rows = try await store.rows(in: range)
        #expect(Set(rows).count == rows.count)
        return Set(rows)
    }

    private func totals(
        in range: RowRange = .everything, with unflushed: [StoredRow] = []
    ) async throws -> Set<Total> {
        let totals = try await store.totals(in: range, with: unflushed)
        #expect(Set(totals).count == totals.count)
        return Set(totals)
    }

    private func added(_ left: RowCounts, _ right: RowCounts) -> RowCounts {
        var sum = left
        for index in 0..<layout.minutesPerRow { sum[index] = left[index].addingSaturated(right[index]) }
        return sum
    }
}
