// SPDX-License-Identifier: Apache-2.0

import TallyServer
import Testing

@testable import TallyCore

@Suite("How long counts are kept") struct RetentionTests {
    private let hour = StoreTest.minute(0)

    private func checkpoint(_ minute: Minute) -> Checkpoint {
        var checkpoint = Checkpoint.start
        checkpoint.timeBefore = Timestamp(milliseconds: minute.unixSeconds * 1_000)
        return checkpoint
    }

    @Test func forEverHasNoHorizonAndNoFloor() {
        #expect(Retention.forEver.floor == nil)
        #expect(Retention.forEver.horizon(at: checkpoint(hour)) == nil)
    }

    @Test func aHorizonFollowsTheCheckpointInWholeHours() {
        let retention = Retention(minutes: 120, hours: 240)
        #expect(retention.floor == 120)
        for minute in Int64(0)...59 {
            let horizon = retention.horizon(at: checkpoint(hour.advanced(by: minute)))
            #expect(horizon == Horizon(collapsed: hour.advanced(by: -120), dropped: hour.advanced(by: -240)))
        }
        #expect(retention.horizon(at: checkpoint(hour.advanced(by: 60)))?.collapsed == hour.advanced(by: -60))
        #expect(retention.horizon(at: .start)?.collapsed == .first)
    }

    @Test func withoutHoursNothingIsDropped() {
        #expect(Retention(minutes: 60, hours: nil).horizon(at: checkpoint(hour))?.dropped == .first)
        let onlyHours = Retention(minutes: nil, hours: 60)
        #expect(onlyHours.floor == 60)
        #expect(
            onlyHours.horizon(at: checkpoint(hour))
                == Horizon(collapsed: hour.advanced(by: -60), dropped: hour.advanced(by: -60)))
    }

    @Test("minutes become quarters of hours, each kind and hour for itself", arguments: Layout.allCases)
    func collapsed(layout: Layout) {
        let rows = [0, 14, 15, 29, 30, 59, 60].map { minute in
            StoreTest.row(1, minute: minute, count: minute + 1, upTo: minute + 1, .minute)
        }
        let minutes =
            layout == .minute
            ? rows : Regrouping.regroup(rows.map { StoredRow(log: StoreTest.log, row: $0) }, to: layout).map(\.row)
        func counts(_ rows: [Row]) -> [Minute: Int64] {
            Dictionary(uniqueKeysWithValues: rows.flatMap { $0.minuteCounts.map { ($0.minute, $0.count) } })
        }
        let quarters = Row.collapsed(minutes)
        #expect(
            counts(quarters)
                == [0: 16, 15: 46, 30: 31, 45: 60, 60: 61].reduce(into: [:]) { $0[StoreTest.minute($1.key)] = $1.value }
        )
        #expect(Set(Row.collapsed(quarters)) == Set(quarters), "again changes nothing")
        let hours = Row.collapsed(quarters, minutesPerTotal: 60)
        #expect(counts(hours) == [StoreTest.minute(0): 153, StoreTest.minute(60): 61])
        #expect(hours.first { $0.key.start == StoreTest.minute(0) }?.upTo == LogOffset(60))
        let full = StoreTest.row(1, minute: 7, count: .max, upTo: 1, layout)
        #expect(
            Row.collapsed([full, StoreTest.row(1, minute: 7, count: .max, upTo: 2, layout)]).map(\.counts.total) == [
                .max
            ])
    }

    @Test func horizonsOnlyMoveOn() {
        let early = Horizon(collapsed: hour, dropped: hour.advanced(by: -60))
        let late = Horizon(collapsed: hour.advanced(by: 60), dropped: .first)
        #expect(early.merged(with: late) == Horizon(collapsed: hour.advanced(by: 60), dropped: hour.advanced(by: -60)))
        #expect(Horizon(collapsed: hour, dropped: hour.advanced(by: 60)).dropped == hour)
    }
}

@Suite("A running node keeps no more than it was told") struct RetentionOfANodeTests {
    private func fixture(_ layout: Layout) -> NodeFixture {
        var fixture = NodeFixture(layout: layout)
        fixture.configuration.retention = Retention(minutes: 8 * 1_440, hours: 20 * 1_440)
        return fixture
    }

    @Test(
        "Old minutes become quarters of hours, then nothing; what is asked for is still right",
        arguments: Layout.allCases)
    func expires(layout: Layout) async throws {
        let fixture = fixture(layout)
        let clock = fixture.clock
        let begin = clock.now()
        try await fixture.run { node in
            for day in 0..<30 {
                clock.set(begin.advanced(by: .seconds(day * 86_400)))
                for minute in [0, 7, 59] {
                    let time = clock.now().advanced(by: .seconds(-60 * minute))
                    _ = try await node.count(banner: 1, time: time, count: 10)
                }
                // A backfill as far back as one may go, into a minute that has something already or not.
                _ = try await node.count(
                    banner: 2, time: clock.now().advanced(by: .seconds(-8 * 86_400)), backfill: true)
                await node.keeper.flush()
                #expect(node.keeper.health.problem == nil)
            }
            // Of each day three counts, at 9:21, 10:13 and 10:20; what lies before 10:00 of 20 days ago is gone.
            #expect(try await node.total(banner: 1) == 20 * 30 + 20)
            let rows = try await node.minuteCounts(in: RowRange(banners: [BannerID(1)!], minutes: .first ... .last))
                .value
            let horizon = Layout.hour.rowStart(of: Minute(clock.now()).advanced(by: -8 * 1_440))
            #expect(rows.filter { $0.minute < horizon }.allSatisfy { $0.minute.sinceEpoch % 15 == 0 })
            #expect(rows.filter { $0.minute >= horizon }.count == 8 * 3 + 2)
        }
    }

    @Test(
        "final days of zones off the full hour stay as they are", arguments: Layout.allCases,
        ["Asia/Kolkata", "Asia/Kathmandu", "Australia/Eucla", "UTC", "America/St_Johns"])
    func finalDays(layout: Layout, zone: String) async throws {
        var fixture = NodeFixture(layout: layout)
        fixture.configuration.retention = Retention(minutes: 8 * 1_440, hours: nil)
        let clock = fixture.clock
        try await fixture.run { node in
            let begin = clock.now()
            for quarter in 0..<96 {
                clock.set(begin.advanced(by: .seconds(quarter * 900 + quarter % 14 * 60)))
                _ = try await node.count(banner: 1, time: clock.now(), count: Int64(1 + quarter))
            }
            await node.keeper.flush()
            func answers() async throws -> [String] {
                let range = "from=2024-12-12T10:00:00Z&to=2024-12-13T12:00:00Z"
                var texts: [String] = []
                for step in ["1h", "1d"] {
                    let path = "/v1/series?banner=1&step=\(step)&tz=\(zone)&format=csv&\(range)"
                    texts.append(try await Routes(service: node).get(path).text)
                }
                return texts
            }
            clock.set(begin.advanced(by: .seconds(86_400 + 43_200)))
            _ = try await node.count(banner: 2)
            let before = try await answers()
            #expect(before[1].split(separator: "\n").count >= 3, "at least two local days")
            clock.set(begin.advanced(by: .seconds(20 * 86_400)))
            _ = try await node.count(banner: 2)
            await node.keeper.flush()
            // The horizon follows the checkpoint.
            _ = try await node.count(banner: 2)
            await node.keeper.flush()
            let rows = try await node.minuteCounts(in: RowRange(banners: [BannerID(1)!], minutes: .first ... .last))
                .value
            #expect(rows.allSatisfy { $0.minute.sinceEpoch % 15 == 0 }, "they are collapsed")
            let after = try await answers()
            func counts(_ text: String) -> [Substring] {
                text.split(separator: "\n").map { $0.dropLast($0.hasSuffix("true") ? 4 : 5) }
            }
            #expect(after.map(counts) == before.map(counts))
        }
    }

    @Test("What is older than minutes are kept is refused, from a backfill and from an import")
    func refuses() async throws {
        let fixture = fixture(.minute)
        let first = Minute(fixture.clock.now()).advanced(by: -8 * 1_440)
        try await fixture.run { node in
            let time = Timestamp(milliseconds: (first.unixSeconds - 1) * 1_000)
            await #expect(throws: EventRejection.expired(earliest: first)) {
                try await node.count(banner: 1, time: time, backfill: true)
            }
            var chunk = SampleChunks.chunk(1_000, of: SampleChunks.other)
            chunk.deltas = [Delta(banner: BannerID(1)!, kind: 0, minute: first.advanced(by: -1), count: 1)]
            chunk.identified = []
            #expect(throws: EventRejection.expired(earliest: first)) { try node.admit(chunk) }
            chunk.deltas[0].minute = first
            _ = try await node.append(chunk)
            #expect(try await node.total(banner: 1) == 1)
        }
    }

    @Test("What was let in while more was kept is stored before anything is collapsed")
    func shorterThanBefore() async throws {
        let log = MemoryLog(id: LogID("memory")!)
        var generous = NodeFixture(log: log)
        let clock = generous.clock
        try await generous.run(flushAtEnd: false) { node in
            let old = clock.now().advanced(by: .seconds(-40 * 86_400))
            for minute in 0..<3 {
                _ = try await node.count(banner: 1, time: old.advanced(by: .seconds(60 * minute)), backfill: true)
            }
        }
        generous.configuration.retention = Retention(minutes: 8 * 1_440, hours: nil)
        try await generous.run { node in
            _ = try await node.count(banner: 1)
            await node.keeper.flush()
            #expect(try await node.total(banner: 1) == 4)
            await node.keeper.flush()
            #expect(try await node.total(banner: 1) == 4)
        }
    }
}
