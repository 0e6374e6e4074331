// SPDX-License-Identifier: Apache-2.0

import Foundation
import TallyCore
import Testing

@testable import TallyServer

@Suite("A flush that contradicts the store") struct StoreConflictTests {
    /// Another server that has counted the first chunk otherwise.
    private func plant(in fixture: NodeFixture, banner: Int64 = 1, count: Int64 = 5) async throws {
        let key = RowKey(banner: BannerID(banner)!, kind: .click, start: Minute(fixture.clock.now()))
        try await fixture.store.merge(
            [Row(key: key, counts: .minute(count), upTo: LogOffset(1))], of: fixture.log.id)
    }

    @Test("is told with both counts until the process ends, and counting goes on")
    func told() async throws {
        let fixture = NodeFixture()
        try await fixture.run { node in
            let routes = Routes(service: node)
            #expect(node.readiness == .ready)
            _ = try await node.count(banner: 1, count: 3)
            try await plant(in: fixture)
            await node.keeper.flush()
            let conflicts = node.keeper.health.conflicts
            #expect(conflicts.count == 1)
            let entry = try #require(conflicts.latest.first)
            #expect(entry.log == fixture.log.id && entry.time == fixture.clock.now())
            #expect(entry.conflict.stored == .minute(5) && entry.conflict.given == .minute(3))
            #expect(node.keeper.health.problem == nil, "the flush itself succeeded")

            let store = try #require(try await routes.get("/v1/status").json?["store"] as? [String: Any])
            let told = try #require(store["conflicts"] as? [String: Any])
            #expect(told["count"] as? Int == 1)
            let latest = try #require((told["latest"] as? [[String: Any]])?.first)
            #expect(latest["log"] as? String == "memory" && latest["banner"] as? Int == 1)
            #expect(latest["kind"] as? String == "click" && latest["upTo"] as? Int == 1)
            let minutes = try #require(latest["minutes"] as? [[String: Any]])
            #expect(minutes.count == 1 && minutes[0]["stored"] as? Int == 5 && minutes[0]["counted"] as? Int == 3)

            _ = try await node.count(banner: 1, count: 1)
            await node.keeper.flush()
            #expect(node.keeper.health.conflicts.count == 1)
            guard case .counting(butNot: let problem) = node.readiness else {
                Issue.record("\(node.readiness)")
                return
            }
            #expect(problem.contains("banner 1, click, up to offset 1") && problem.contains("5 stored and 3 counted"))
            let registry = MetricsRegistry()
            node.report(to: registry)
            #expect(registry.prometheusText.contains("\ntally_store_conflicts_total 1.0\n"))
        }
    }

    private static func conflict(_ banner: Int64, upTo: Int64 = 1) -> RowConflicts {
        let key = RowKey(banner: BannerID(banner)!, kind: .click, start: StoreTest.minute(0))
        var conflicts = RowConflicts()
        conflicts.add(RowConflict(key: key, upTo: LogOffset(upTo), stored: .minute(1), given: .minute(2)))
        return conflicts
    }

    @Test("the latest 20 are kept, and 100 are logged")
    func bounded() {
        var conflicts = StoreConflicts()
        var logged = 0
        for banner in Int64(1)...150 {
            logged += conflicts.add(Self.conflict(banner), of: StoreTest.log, at: .epoch).count
        }
        #expect(conflicts.count == 150 && logged == StoreConflicts.maximumLogged)
        #expect(conflicts.latest.map(\.conflict.key.banner.value) == Array(131...150))
        #expect(conflicts.add(Self.conflict(150), of: StoreTest.log, at: .epoch).isEmpty, "it is known")
        #expect(conflicts.latest.count == StoreConflicts.maximumLatest && conflicts.count == 151)
    }

    @Test("a repetition of a flush is not logged again; another offset or log is")
    func repeated() {
        var conflicts = StoreConflicts()
        #expect(conflicts.add(Self.conflict(1), of: StoreTest.logs[0], at: .epoch).count == 1)
        #expect(conflicts.add(Self.conflict(1), of: StoreTest.logs[0], at: .epoch).isEmpty)
        #expect(conflicts.add(Self.conflict(1, upTo: 2), of: StoreTest.logs[0], at: .epoch).count == 1)
        #expect(conflicts.add(Self.conflict(1), of: StoreTest.logs[1], at: .epoch).count == 1)
    }

    @Test("those of several partitions are told together")
    func summed() {
        var first = StoreConflicts()
        _ = first.add(Self.conflict(1), of: StoreTest.logs[0], at: Timestamp(milliseconds: 2))
        var second = StoreConflicts()
        _ = second.add(Self.conflict(2), of: StoreTest.logs[1], at: Timestamp(milliseconds: 1))
        first.add(second)
        #expect(first.count == 2 && first.latest.map(\.log) == [StoreTest.logs[1], StoreTest.logs[0]])
    }

    @Test("only minutes that differ are named, and not too many")
    func text() throws {
        let stored = RowCounts.hour(Array(repeating: 1, count: 60))
        var given = stored
        for minute in 10..<17 { given[minute] = 2 }
        let key = RowKey(banner: BannerID(1)!, kind: .click, start: StoreTest.minute(0))
        let conflict = RowConflict(key: key, upTo: LogOffset(4), stored: stored, given: given)
        #expect(conflict.differences.map { $0.minute } == (10..<17).map { StoreTest.minute($0) })
        #expect(
            conflict.description.hasPrefix(
                "banner 1, click, up to offset 4: 2024-12-12T10:10:00Z 1 stored and 2 counted, "))
        #expect(conflict.description.hasSuffix("2024-12-12T10:14:00Z 1 stored and 2 counted and 2 more minutes"))
    }
}
