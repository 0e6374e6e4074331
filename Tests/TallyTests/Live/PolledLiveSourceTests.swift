// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TallyCore
@testable import TallyServer

@Suite("The live stream of a server that answers for others")
struct PolledLiveSourceTests {
    private let log = LogID("kafka:clicks/0")!
    private let store = MemoryStore(layout: .minute)
    private let clock = ManualClock()
    private let live: PolledLiveSource
    private let banner = BannerID(7)!

    init() {
        let query = Query(logs: [log], sources: [], store: store, late: 60)
        live = PolledLiveSource(query: query, clock: clock, identity: NodeID(bits: 9))
    }

    private var minute: Minute { Minute(clock.now()) }

    private func count(_ banner: Int64, _ count: Int64, upTo: Int64) async throws {
        let key = RowKey(banner: BannerID(banner)!, kind: .click, start: minute)
        try await store.merge([Row(key: key, counts: .minute(count), upTo: LogOffset(upTo))], of: log)
    }

    @Test("who comes is told the state, and then what each round has changed, as absolute counts")
    func changes() async throws {
        try await count(7, 3, upTo: 1)
        try await count(8, 2, upTo: 1)
        let state = try await live.state(of: LiveTopic(banners: [banner], sums: true))
        #expect(state.counts == [MinuteCount(banner: banner, kind: .click, minute: minute, count: 3)])
        #expect(state.sums.map(\.count) == [5])
        await live.poll()
        #expect(live.changes(after: state.upTo, of: [banner]).isEmpty)
        try await count(7, 4, upTo: 2)
        await live.poll()
        let changes = live.changes(after: state.upTo, of: [banner])
        #expect(changes.rows.map(\.counts) == [.minute(4)])
        #expect(changes.sums.map(\.count) == [6])
        #expect(changes.upTo > state.upTo && changes.upTo == live.position)
        #expect(live.changes(after: changes.upTo, of: [banner]).isEmpty)
    }

    @Test("a count that a partition's silence makes smaller is not told")
    func onlyGrows() async throws {
        try await count(7, 3, upTo: 1)
        let state = try await live.state(of: LiveTopic(banners: [banner], sums: true))
        let key = RowKey(banner: banner, kind: .click, start: minute)
        // The higher offset wins, whatever its count.
        try await store.merge([Row(key: key, counts: .minute(1), upTo: LogOffset(2))], of: log)
        await live.poll()
        #expect(live.changes(after: state.upTo, of: [banner]).isEmpty)
    }

    @Test("when nobody has watched for some rounds nothing is asked, and no position is given twice")
    func idle() async throws {
        try await count(7, 3, upTo: 1)
        let state = try await live.state(of: LiveTopic(banners: [banner], sums: true))
        for _ in 0..<121 { await live.poll() }
        try await count(7, 4, upTo: 2)
        await live.poll()
        let changes = live.changes(after: state.upTo, of: [banner])
        #expect(changes.isEmpty && changes.missingUpTo > state.upTo)
        let anew = try await live.state(of: LiveTopic(banners: [banner], sums: true))
        #expect(anew.counts.map(\.count) == [4])
        #expect(anew.upTo > state.upTo)
        #expect(live.changes(after: anew.upTo, of: [banner]).missingUpTo <= anew.upTo)
    }

    @Test("what is older than an hour is forgotten")
    func old() async throws {
        try await count(7, 3, upTo: 1)
        _ = try await live.state(of: LiveTopic(banners: [banner], sums: true))
        clock.advance(by: .seconds(3_700))
        await live.poll()
        let changes = live.changes(after: .none, of: [banner])
        #expect(changes.rows.isEmpty && changes.sums.isEmpty)
    }
}
