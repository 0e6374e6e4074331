// SPDX-License-Identifier: Apache-2.0

import TallyCore
import TallySimulator
import Testing

@testable import TallyServer

/// A desk whose calls may stand in an expectation.
private final class Desk {
    private var desk: LiveDesk

    init(limit: Int = 10_000) { desk = LiveDesk(limit: limit) }

    var question: LiveDesk.Question? { desk.question }
    var hasRoom: Bool { desk.hasRoom }
    var count: Int { desk.count }

    func join(_ topic: LiveTopic, knowsUpTo: LogOffset) -> LiveDesk.WatcherID? {
        desk.join(topic, knowsUpTo: knowsUpTo)
    }
    func leave(_ id: LiveDesk.WatcherID) { desk.leave(id) }
    func didTake(_ id: LiveDesk.WatcherID) { desk.didTake(id) }
    func didTellState(_ id: LiveDesk.WatcherID, upTo: LogOffset) { desk.didTellState(id, upTo: upTo) }
    func deliver(_ changes: LiveChanges) -> [LiveDesk.Delivery] { desk.deliver(changes) }
    func close() -> [LiveDesk.WatcherID] { desk.close() }
}

struct LiveDeskTests {
    private static let sums = LiveTopic()
    private static let of1 = LiveTopic(banners: [BannerID(1)!], sums: false)
    private static let of12 = LiveTopic(banners: [BannerID(1)!, BannerID(2)!], sums: true)

    /// Click counts of banners, by the offset that they changed at.
    private func changes(_ rows: [(banner: Int64, offset: Int64)], upTo: Int64, missingUpTo: Int64 = 0) -> LiveChanges {
        var changes = LiveChanges()
        changes.rows = rows.map { banner, offset in
            Row(
                key: RowKey(banner: BannerID(banner)!, kind: .click, start: .first), counts: .minute(offset),
                upTo: LogOffset(offset))
        }
        changes.sums = rows.map { _, offset in
            LiveChanges.Sum(kind: .click, minute: .first, count: offset, upTo: LogOffset(offset))
        }
        changes.upTo = LogOffset(upTo)
        changes.missingUpTo = LogOffset(missingUpTo)
        return changes
    }

    private func offsets(_ delivery: LiveDesk.Delivery) -> [Int64]? {
        guard case .changes(let changes) = delivery.content else { return nil }
        return changes.rows.map(\.upTo.value) + changes.sums.map(\.upTo.value)
    }

    @Test func `nothing is read while nobody watches`() {
        let desk = Desk()
        #expect(desk.question == nil)
        #expect(desk.deliver(changes([(1, 1)], upTo: 1)).isEmpty)
    }

    @Test func `the same news is written down once for all who watch the same`() throws {
        let desk = Desk()
        let watchers = (0..<1_000).compactMap { _ in desk.join(Self.sums, knowsUpTo: LogOffset(4)) }
        #expect(desk.question == LiveDesk.Question(after: LogOffset(4), banners: []))
        let deliveries = desk.deliver(changes([(1, 5)], upTo: 6))
        #expect(deliveries.map(\.watchers) == [watchers])
        #expect(deliveries.map(offsets) == [[5]])
    }

    @Test func `each gets what he asked for, and one reading is enough for all`() throws {
        let desk = Desk()
        let first = try #require(desk.join(Self.of1, knowsUpTo: LogOffset(3)))
        let both = try #require(desk.join(Self.of12, knowsUpTo: LogOffset(2)))
        let all = try #require(desk.join(Self.sums, knowsUpTo: LogOffset(9)))
        #expect(
            desk.question == LiveDesk.Question(after: LogOffset(2), banners: [BannerID(1)!, BannerID(2)!]))
        let deliveries = desk.deliver(changes([(1, 3), (2, 4), (3, 5)], upTo: 9))
        #expect(deliveries.map(\.watchers) == [[both]])
        #expect(deliveries.map(offsets) == [[3, 4, 3, 4, 5]])
        #expect(first != all)
    }

    @Test func `a slow client has one message on its way, and is then told all that changed since`() throws {
        let desk = Desk()
        let slow = try #require(desk.join(Self.of1, knowsUpTo: .none))
        #expect(desk.deliver(changes([(1, 1)], upTo: 1)).count == 1)
        for offset in 2...50 as ClosedRange<Int64> {
            #expect(desk.question == nil)
            #expect(desk.deliver(changes([(1, offset)], upTo: offset)).isEmpty)
        }
        desk.didTake(slow)
        #expect(desk.question?.after == LogOffset(1))
        #expect(desk.deliver(changes([(1, 50)], upTo: 51)).map(offsets) == [[50]])
    }

    @Test func `silence is broken by a heartbeat, which begins the counting anew`() throws {
        let desk = Desk()
        let id = try #require(desk.join(Self.sums, knowsUpTo: .none))
        for _ in 0..<2 {
            for _ in 1..<LiveDesk.roundsBetweenHeartbeats { #expect(desk.deliver(changes([], upTo: 7)).isEmpty) }
            #expect(
                desk.deliver(changes([], upTo: 7)) == [LiveDesk.Delivery(watchers: [id], content: .heartbeat)])
            desk.didTake(id)
        }
        #expect(desk.question?.after == LogOffset(7), "what brought no news is known, too")
    }

    @Test func `who knows too little to go on is told the state, and goes on from there`() throws {
        let desk = Desk()
        let old = try #require(desk.join(Self.of1, knowsUpTo: LogOffset(4)))
        let fresh = try #require(desk.join(Self.of1, knowsUpTo: LogOffset(5)))
        let deliveries = desk.deliver(changes([(1, 8)], upTo: 9, missingUpTo: 5))
        #expect(deliveries.map(\.watchers) == [[old], [fresh]])
        #expect(deliveries.map(\.content)[0] == .state)
        #expect(desk.question == nil)
        desk.didTellState(old, upTo: LogOffset(12))
        #expect(desk.question?.after == LogOffset(12))
    }

    @Test func `sums never miss anything, whatever left the memory`() throws {
        let desk = Desk()
        _ = try #require(desk.join(Self.sums, knowsUpTo: LogOffset(4)))
        #expect(desk.deliver(changes([(1, 8)], upTo: 9, missingUpTo: 9)).map(offsets) == [[8]])
    }

    @Test func `there is room for so many, and for nobody once it is closed`() throws {
        let desk = Desk(limit: 2)
        let first = try #require(desk.join(Self.sums, knowsUpTo: .none))
        let second = try #require(desk.join(Self.sums, knowsUpTo: .none))
        #expect(!desk.hasRoom)
        #expect(desk.join(Self.sums, knowsUpTo: .none) == nil)
        desk.leave(first)
        #expect(desk.hasRoom)
        #expect(desk.close() == [second])
        #expect(!desk.hasRoom)
        desk.leave(second)
        #expect(desk.join(Self.sums, knowsUpTo: .none) == nil)
        #expect(desk.count == 0)
    }

    /// Whoever takes messages when he likes, and comes back when he likes, knows in the end what the log says.
    @Test(arguments: 0..<20)
    func `no order of events makes a gap`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let desk = Desk()
        var truth: [Int64: Int64] = [:]
        var changedAt: [Int64: Int64] = [:]
        var known: [Int64: Int64] = [:]
        var id = try #require(desk.join(Self.of12, knowsUpTo: .none))
        var inbox: LiveDesk.Content?
        var lastEvent: Int64 = 0

        func take() {
            if case .changes(let changes)? = inbox {
                for row in changes.rows { known[row.key.banner.value] = row.counts.total }
                lastEvent = changes.upTo.value
            }
            inbox = nil
            desk.didTake(id)
        }
        func round(_ offset: Int64) {
            guard let question = desk.question else { return }
            let rows = changedAt.filter { $0.value > question.after.value }.map { (banner: $0.key, offset: $0.value) }
            var told = changes(rows, upTo: offset)
            for index in told.rows.indices {
                told.rows[index].counts = .minute(truth[told.rows[index].key.banner.value] ?? 0)
            }
            inbox = desk.deliver(told).first?.content ?? inbox
        }
        for offset in 1...300 as ClosedRange<Int64> {
            let banner = Int64.random(in: 1...2, using: &random)
            truth[banner, default: 0] += 1
            changedAt[banner] = offset
            switch Int.random(in: 0..<6, using: &random) {
            case 0...1: round(offset)
            case 2...3: take()
            case 4:
                // The connection breaks with a message on its way; the client comes back with the last that it saw.
                desk.leave(id)
                inbox = nil
                id = try #require(desk.join(Self.of12, knowsUpTo: LogOffset(lastEvent)))
            default: break
            }
        }
        take()
        round(300)
        take()
        #expect(known == truth, "seed \(seed)")
    }
}
