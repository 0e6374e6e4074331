// SPDX-License-Identifier: Apache-2.0

import TallyCore
import TallyServer
import Testing

@Suite struct CountingNodeTests {
    @Test("An acknowledged event is in the very next answer", arguments: Layout.allCases)
    func readYourWrites(layout: Layout) async throws {
        try await NodeFixture(layout: layout).run { node in
            for expected in 1...20 {
                _ = try await node.count(banner: 7)
                #expect(try await node.total(banner: 7) == Int64(expected))
                if expected % 5 == 0 { await node.keeper.flush() }
            }
        }
    }

    @Test("Many clients at once share commits, and each is counted", arguments: Layout.allCases)
    func concurrentClients(layout: Layout) async throws {
        try await NodeFixture(layout: layout).run { node in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for client in 0..<50 {
                    group.addTask {
                        for _ in 0..<20 { _ = try await node.count(banner: Int64(1 + client % 3)) }
                    }
                }
                for _ in 0..<5 { await node.keeper.flush() }
                try await group.waitForAll()
            }
            #expect(try await node.totals(in: .everything).value.reduce(0) { $0 + $1.count } == 1_000)
        }
    }

    @Test(
        "What was not flushed is counted after a restart, and what was is not counted again", arguments: Layout.allCases
    )
    func restart(layout: Layout) async throws {
        let fixture = NodeFixture(layout: layout)
        try await fixture.run { node in
            for _ in 0..<3 { _ = try await node.count(banner: 1, id: "same") }
            await node.keeper.flush()
            _ = try await node.count(banner: 1)
        }
        try await fixture.run(flushAtEnd: false) { node in
            _ = try await node.count(banner: 1)
            _ = try await node.count(banner: 1, id: "same")
            #expect(try await node.total(banner: 1) == 3)
        }
        try await fixture.run { node in
            #expect(try await node.total(banner: 1) == 3)
            _ = try await node.count(banner: 1, id: "same")
            #expect(try await node.total(banner: 1) == 3)
        }
    }

    @Test func whileTheStoreIsAwayCountingGoesOn() async throws {
        let fixture = NodeFixture()
        try await fixture.run { node in
            _ = try await node.count(banner: 1)
            await node.keeper.flush()
            fixture.store.outage = .unavailable("the store is away")
            for _ in 0..<10 { _ = try await node.count(banner: 1) }
            // A late event of a row that isn't in memory has to wait for the store, but not to be counted.
            let hourAgo = fixture.clock.now().advanced(by: .seconds(-3_600))
            _ = try await node.count(banner: 1, time: hourAgo)
            await node.keeper.flush()
            #expect(node.keeper.health.problem == "the store is away")
            await #expect(throws: StoreError.unavailable("the store is away")) { try await node.total(banner: 1) }
            fixture.store.outage = nil
            #expect(try await node.total(banner: 1) == 12)
            await node.keeper.flush()
            #expect(node.keeper.health.problem == nil)
            #expect(try await node.total(banner: 1) == 12)
        }
        #expect(try await fixture.store.rows(in: .everything).reduce(0) { $0 + $1.row.counts.total } == 12)
    }

    @Test func aForeignChunkCountsOnceHoweverOftenItComes() async throws {
        let fixture = NodeFixture()
        try await fixture.run { node in
            var builder = ChunkBuilder()
            let event = CountedEvent(banner: BannerID(3)!, kind: .click, minute: .first, count: 5)
            let added = builder.add(event)
            #expect(added)
            let chunk = builder.chunk(node: NodeID(bits: 99), sequence: 1, time: .epoch)
            var duplicates = [try await node.append(chunk).duplicate, try await node.append(chunk).duplicate]
            await node.keeper.flush()
            duplicates.append(try await node.append(chunk).duplicate)
            #expect(duplicates == [false, true, true])
            #expect(try await node.total(banner: 3) == 5)
        }
        let counted = try await fixture.run { node in node.sequences(of: NodeID(bits: 99)) }
        #expect(counted.highest == 1)
    }

    @Test func kindsBeyondTheLimitAreRefusedByName() async throws {
        try await NodeFixture().run { node in
            for number in 2..<Limits.kinds { _ = try await node.count(banner: 1, kind: Kind("kind_\(number)")!) }
            await #expect(throws: EventRejection.tooManyKinds(limit: 256)) {
                try await node.count(banner: 1, kind: Kind("kind")!)
            }
            // Whatever others have used up.
            _ = try await node.count(banner: 1, kind: .click)
            _ = try await node.count(banner: 1, kind: .impression)
            _ = try await node.count(banner: 1, kind: Kind("kind_2")!)
            #expect(try await node.total(banner: 1) == 257)
        }
    }

    @Test func anOffsetOfAReceiptNeverGoesBack() async throws {
        let fixture = NodeFixture()
        let first = try await fixture.run { node in try await node.count(banner: 1) }
        let second = try await fixture.run { node in try await node.count(banner: 1) }
        #expect(first.log == second.log)
        #expect(first.offset < second.offset)
        #expect(second.offset == LogOffset(2))
    }

    @Test func aChunkThatClaimsToBeTheNodesOwnIsRefused() async throws {
        try await NodeFixture().run { node in
            let own = NodeID(bits: 1)
            #expect(throws: EventRejection.ownNode(own)) { try node.admit(SampleChunks.chunk(1_000, of: own)) }
            _ = try node.admit(SampleChunks.chunk(1_000))
        }
    }

    @Test func aClockThatJumpedAheadForOneCommitKeepsNobodyOut() async throws {
        var fixture = NodeFixture()
        fixture.configuration.acceptLate = 0
        let clock = fixture.clock
        try await fixture.run { node in
            let now = clock.now()
            let input = EventInput(banner: BannerID(1)!)
            var admitted = AdmittedEvents()
            try node.admit(input, to: &admitted)
            clock.set(now.advanced(by: .seconds(3_600)))
            _ = try await node.record(admitted)
            clock.set(now)
            _ = try await node.count(banner: 1)
            #expect(try await node.total(banner: 1) == 2)
        }
    }

    @Test func aClockFarBehindTheLogIsNoticed() async throws {
        let fixture = NodeFixture()
        try await fixture.run { [clock = fixture.clock] node in
            let now = clock.now()
            clock.set(now.advanced(by: .seconds(8 * 86_400)))
            _ = try await node.count(banner: 1)
            #expect(node.readiness == .ready)
            clock.set(now)
            guard case .notReady(let reasons) = node.readiness else {
                Issue.record("a clock a day before the first open minute is no problem")
                return
            }
            #expect(reasons.count == 1 && reasons[0].contains("the clock says 2024-12-12T10:20:00Z"), "\(reasons)")
            clock.set(now.advanced(by: .seconds(86_400)))
            #expect(node.readiness == .ready)
        }
    }

    @Test func aLogThatEndsBeforeItsCheckpointIsRefused() async throws {
        let fixture = NodeFixture()
        var checkpoint = Checkpoint.start
        checkpoint.upTo = LogOffset(5)
        try await fixture.store.save(checkpoint, of: fixture.log.id)
        let refusal = StartError.logBehindStore(log: fixture.log.id, end: .none, checkpoint: LogOffset(5))
        await #expect(throws: refusal) { try await fixture.run { _ in } }
    }

    @Test func bannersThatWereSeenAreSavedWithTheFlush() async throws {
        let fixture = NodeFixture()
        try await fixture.run { node in
            _ = try await node.count(banner: 42)
            #expect(node.banner(BannerID(42)!) == Banner(id: BannerID(42)!))
            let named: [Banner] = try await node.register(names: ["/a", "/b", "/a"])
            #expect(named.map(\.id.value) == [1, 2, 1])
        }
        #expect(try await fixture.bannerStore.banners().map(\.id.value).sorted() == [1, 2, 42])
    }
}
