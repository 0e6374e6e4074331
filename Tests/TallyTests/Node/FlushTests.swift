// SPDX-License-Identifier: Apache-2.0

import TallyCore
import Testing

@testable import TallyServer

@Suite("Flushes of a running node") struct FlushTests {
    @Test("A banner that is seen during a flush is known after a crash")
    func bannerSeenDuringAFlush() async throws {
        let bannerStore = BannerStoreWithHook()
        let fixture = NodeFixture(bannerStore: bannerStore)
        try await fixture.run(flushAtEnd: false) { node in
            _ = try await node.count(banner: 1)
            bannerStore.beforeSave { _ in
                bannerStore.beforeSave { _ throws(StoreError) in throw .unavailable("the test pulled the plug") }
                _ = try? await node.count(banner: 2)
            }
            await node.keeper.flush()
        }
        bannerStore.beforeSave(nil)
        try await fixture.run { node in
            #expect(node.banners(after: nil, limit: 10).map(\.id.value) == [1, 2])
        }
    }

    @Test("A flush that failed is tried again soon, not at the next interval")
    func retry() async throws {
        let store = CountStoreWithHooks()
        var fixture = NodeFixture()
        fixture.otherStore = store
        // A second before the full hour, at which a flush is due; when it fails the next hour has begun.
        let hour = Timestamp(milliseconds: 1_733_997_600_000)
        fixture.clock.set(hour.advanced(by: .seconds(-1)))
        store.beforeMerge { [clock = fixture.clock] () throws(StoreError) in
            clock.set(hour.advanced(by: .seconds(1)))
            throw .unavailable("the store is away")
        }
        try await fixture.run { node in
            _ = try await node.count(banner: 1)
            try await eventually("it is tried again", within: .seconds(20)) { node.keeper.health.failures >= 2 }
            store.beforeMerge(nil)
            try await eventually("it succeeds", within: .seconds(20)) { node.keeper.health.flushes == 1 }
            #expect(node.keeper.health.problem == nil)
        }
    }

    @Test("Reading rows doesn't hide that a flush has failed")
    func healthAfterALoad() async throws {
        let store = CountStoreWithHooks()
        var fixture = NodeFixture()
        fixture.otherStore = store
        try await fixture.run { [clock = fixture.clock] node in
            _ = try await node.count(banner: 1)
            await node.keeper.flush()
            #expect(node.keeper.health.problem == nil)
            store.beforeMerge { () throws(StoreError) in throw .unavailable("the store takes nothing") }
            _ = try await node.count(banner: 1)
            await node.keeper.flush()
            #expect(node.keeper.health.problem == "the store takes nothing")
            _ = try await node.count(banner: 1, time: clock.now().advanced(by: .seconds(-3_600)))
            try await eventually("the row is read") { store.loads == 1 }
            try await Task.sleep(for: .milliseconds(50))
            #expect(node.keeper.health.problem == "the store takes nothing")
            #expect(node.keeper.health.failuresInARow == 1)
            store.beforeMerge(nil)
            await node.keeper.flush()
            #expect(node.keeper.health.problem == nil)
        }
    }

    @Test("A flush does not wait while rows to load keep coming", .timeLimit(.minutes(1)))
    func rowsThatKeepComing() async throws {
        let store = CountStoreWithHooks()
        var fixture = NodeFixture()
        fixture.otherStore = store
        try await fixture.run { node in
            _ = try await node.count(banner: 1)
            await node.keeper.flush()
            store.beforeLoad { [store] in
                // One more banner each time.
                let number = store.loads + 1
                _ = try? await node.append(SampleChunks.chunk(UInt64(number), of: SampleChunks.other, entries: number))
            }
            _ = try await node.append(SampleChunks.chunk(1, of: SampleChunks.other))
            try await eventually("rows keep coming") { store.loads > 3 }
            await node.keeper.flush()
            #expect(node.keeper.health.flushes == 2)
            store.beforeLoad(nil)
        }
    }

    @Test("Asked for a flush after the stop, it returns", .timeLimit(.minutes(5)))
    func flushAfterTheStop() async throws {
        let node = try await NodeFixture().run { node in
            _ = try await node.count(banner: 1)
            return node
        }
        await node.keeper.flush()
        #expect(node.keeper.health.flushes == 1)
    }

    @Test(
        "Chunks wait while too many rows are read from the store, and while a flush waits for any",
        arguments: [true, false])
    func chunksWaitForTheStore(forAFlush: Bool) async throws {
        let store = CountStoreWithHooks()
        var fixture = NodeFixture()
        fixture.otherStore = store
        fixture.configuration.unresolvedRowsLimit = forAFlush ? 1_000 : 2
        try await fixture.run { node in
            // Rows before the last minute that was flushed are not in memory.
            _ = try await node.count(banner: 1)
            await node.keeper.flush()
            let gate = Turns()
            await gate.begin()
            store.beforeLoad {
                await gate.begin()
                gate.end()
            }
            async let flushed: Void = forAFlush ? node.keeper.flush() : ()
            _ = try await node.append(SampleChunks.chunk(1, of: SampleChunks.other, entries: 3))
            if forAFlush { try await eventually("the flush waits") { store.loads == 1 } }
            await #expect(throws: IngestError.overloaded) {
                try await node.append(SampleChunks.chunk(2, of: SampleChunks.other))
            }
            // Events of now don't wait.
            _ = try await node.count(banner: 1)
            gate.end()
            await flushed
            try await eventually("chunks are taken again") {
                (try? await node.append(SampleChunks.chunk(2, of: SampleChunks.other))) != nil
            }
        }
    }
}
