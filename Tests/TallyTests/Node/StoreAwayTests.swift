// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TallyCore
import Testing

@testable import TallyServer

/// A copy of a checkpoint in memory, which survives the node like a file.
final class CheckpointInMemory: CheckpointCopy {
    private let copy = Mutex<[LogID: Checkpoint]>([:])

    func read(of log: LogID) async -> Checkpoint? { copy.withLock { $0[log] } }
    func write(_ checkpoint: Checkpoint, of log: LogID) async throws(DiskError) {
        copy.withLock { $0[log] = checkpoint }
    }
}

@Suite("A node whose store is away at the start") struct StoreAwayTests {
    private let away = StoreError.unavailable("the store is away")

    private func fixture(_ layout: Layout = .minute) -> (NodeFixture, CheckpointInMemory) {
        let copy = CheckpointInMemory()
        var fixture = NodeFixture(layout: layout, bannerStore: BannerStoreWithHook())
        fixture.checkpointCopy = copy
        return (fixture, copy)
    }

    private func goAway(_ fixture: NodeFixture) {
        fixture.store.outage = away
        (fixture.bannerStore as? BannerStoreWithHook)?.outage = away
    }

    private func comeBack(_ fixture: NodeFixture) {
        fixture.store.outage = nil
        (fixture.bannerStore as? BannerStoreWithHook)?.outage = nil
    }

    @Test("counts, and nothing is lost or doubled when it comes back", arguments: Layout.allCases)
    func counts(layout: Layout) async throws {
        let (fixture, _) = fixture(layout)
        let clock = fixture.clock
        try await fixture.run(flushAtEnd: false) { node in
            _ = try await node.register(names: ["/a"])
            for _ in 0..<3 { _ = try await node.count(banner: 1, id: "same") }
            await node.keeper.flush()
            _ = try await node.count(banner: 1)
        }
        goAway(fixture)
        for round in 1...3 {
            try await fixture.run(flushAtEnd: false) { node in
                _ = try await node.count(banner: 1, id: "same")
                _ = try await node.count(banner: Int64(round + 1))
                _ = try await node.count(banner: 1, time: clock.now().advanced(by: .seconds(-7_200)))
                #expect(node.readiness == .counting(butNot: "the store is away"))
                await node.keeper.flush()
            }
            goAway(fixture)
        }
        try await fixture.run { node in
            _ = try await node.count(banner: 1)
            comeBack(fixture)
            await node.keeper.flush()
            #expect(node.keeper.health.problem == nil && node.readiness == .ready)
            #expect(try await node.total(banner: 1) == 6)
            #expect(try await node.total(banner: 4) == 1)
            #expect(node.banner(BannerID(1)!)?.name == "/a")
            #expect(node.bannerCount == 4)
        }
        #expect(try await fixture.store.rows(in: .everything).reduce(0) { $0 + $1.row.counts.total } == 9)
        #expect(try await fixture.bannerStore.banners().first { $0.id.value == 1 }?.name == "/a")
    }

    @Test("a running node answers the latest minutes from memory, and no others", arguments: Layout.allCases)
    func latestMinutes(layout: Layout) async throws {
        let (fixture, _) = fixture(layout)
        let now = Minute(fixture.clock.now())
        let latest = RowRange(minutes: layout.rowStart(of: now) ... .last)
        let before = RowRange(minutes: layout.rowStart(of: now).advanced(by: -60) ... .last)
        try await fixture.run { [store = fixture.store, away] node in
            for _ in 0..<3 { _ = try await node.count(banner: 1) }
            await node.keeper.flush()
            _ = try await node.count(banner: 1)
            store.outage = away
            #expect(try await node.minuteCounts(in: latest).value.map(\.count) == [4])
            #expect(try await node.totals(in: latest).value.map(\.count) == [4])
            await #expect(throws: away) { try await node.minuteCounts(in: before) }
            await #expect(throws: away) { try await node.totals(in: before) }
            store.outage = nil
            // From now on others may have counted in these minutes too.
            try await store.merge([StoreTest.row(1, minute: 20, count: 5, upTo: 1, layout)], of: StoreTest.logs[1])
            await node.keeper.flush()
            store.outage = away
            await #expect(throws: away) { try await node.minuteCounts(in: latest) }
            store.outage = nil
            #expect(try await node.totals(in: latest).value.map(\.count) == [9])
        }
    }

    @Test("without a copy of the checkpoint, a log that was trimmed can't be counted")
    func needsTheCheckpoint() async throws {
        let log = MemoryLog(id: LogID("memory")!)
        var fixture = NodeFixture(log: log)
        try await fixture.run { node in
            for _ in 0..<3 { _ = try await node.count(banner: 1) }
        }
        try await log.trim(before: LogOffset(3))
        fixture.checkpointCopy = CheckpointInMemory()
        fixture.store.outage = away
        await #expect(throws: StartError.store(away)) { try await fixture.run { _ in } }
    }

    @Test("a store that is damaged is no store that is away")
    func damaged() async throws {
        let (fixture, _) = fixture()
        fixture.store.outage = .damaged("nobody can read it")
        await #expect(throws: StartError.store(.damaged("nobody can read it"))) { try await fixture.run { _ in } }
    }

    @Test("a store that has less than before, or more than the log, is not written to")
    func agreement() {
        let log = LogID("journal-a")!
        let agreement = StoreAgreement(
            log: log, checkpoint: StoreTest.checkpoint(upTo: 5), end: LogOffset(9),
            settings: Aggregator.Configuration().settings)
        for upTo in Int64(5)...9 { #expect(agreement.refusal(stored: StoreTest.checkpoint(upTo: upTo)) == nil) }
        #expect(
            agreement.refusal(stored: StoreTest.checkpoint(upTo: 10))
                == .logBehindStore(log: log, end: LogOffset(9), checkpoint: LogOffset(10)))
        let replaced = StartError.storeReplaced(log: log, checkpoint: LogOffset(4), before: LogOffset(5))
        #expect(agreement.refusal(stored: StoreTest.checkpoint(upTo: 4)) == replaced)
        #expect("\(replaced)".contains("up to offset 4") && "\(replaced)".contains("up to 5"))
        #expect(agreement.refusal(stored: nil) != nil)
        var other = StoreTest.checkpoint(upTo: 5)
        other.settings = CountingSettings(windowMilliseconds: 1, windowLimit: 1, lateMinutes: 1)
        #expect(
            agreement.refusal(stored: other)
                == .otherSettings(log: log, stored: other.settings!, configured: agreement.settings))
        other.settings = agreement.settings
        #expect(agreement.refusal(stored: other) == nil)
        let fresh = StoreAgreement(
            log: log, checkpoint: .start, end: .none, settings: Aggregator.Configuration().settings)
        #expect(fresh.refusal(stored: nil) == nil)
    }
}
