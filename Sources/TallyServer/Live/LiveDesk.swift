// SPDX-License-Identifier: Apache-2.0

package import TallyCore

/// Decides who is told what, and when. A value without I/O: the owner asks once a second, reads what changed, and delivers.
///
/// Nobody is sent anything before he has taken what he was sent last. So a slow client has one message on its way, never
/// more, and is told next what changed since that one: it is skipped forward.
package struct LiveDesk: Sendable {
    package typealias WatcherID = Int

    /// What to read: the changes behind an offset, of these banners.
    package struct Question: Equatable, Sendable {
        package var after: LogOffset
        package var banners: Set<BannerID>
    }

    package enum Content: Equatable, Sendable {
        case changes(LiveChanges)
        /// Nothing happened, and the connection lives.
        case heartbeat
        /// What he knows is too old to go on from: he needs the state anew.
        case state
    }

    /// The same for all of these.
    package struct Delivery: Equatable, Sendable {
        package var watchers: [WatcherID]
        package var content: Content
    }

    private struct Watcher {
        let topic: LiveTopic
        var knowsUpTo: LogOffset
        /// He has not taken yet what he was sent.
        var isBusy = false
        var quietRounds = 0
    }

    private struct Group: Hashable {
        var topic: LiveTopic
        var knowsUpTo: LogOffset
    }

    /// So many rounds without anything to tell are followed by a heartbeat.
    package static let roundsBetweenHeartbeats = 15

    private let limit: Int
    private var watchers: [WatcherID: Watcher] = [:]
    private var lastID: WatcherID = 0
    private var isClosed = false

    package init(limit: Int = 10_000) { self.limit = limit }

    package var count: Int { watchers.count }
    package var hasRoom: Bool { !isClosed && watchers.count < limit }

    /// - Parameter knowsUpTo: what he was told, before he came or just now.
    /// - Returns: nil when there is no room, or the desk is closed.
    package mutating func join(_ topic: LiveTopic, knowsUpTo: LogOffset) -> WatcherID? {
        guard hasRoom else { return nil }
        lastID += 1
        watchers[lastID] = Watcher(topic: topic, knowsUpTo: knowsUpTo)
        return lastID
    }

    package mutating func leave(_ id: WatcherID) { watchers[id] = nil }

    /// He has taken what he was sent.
    package mutating func didTake(_ id: WatcherID) { watchers[id]?.isBusy = false }

    /// He was told the state anew, up to here.
    package mutating func didTellState(_ id: WatcherID, upTo: LogOffset) {
        watchers[id]?.knowsUpTo = upTo
        watchers[id]?.isBusy = false
    }

    /// Nobody joins any more, and all leave.
    /// - Returns: whom to send away.
    package mutating func close() -> [WatcherID] {
        isClosed = true
        return watchers.keys.sorted()
    }

    /// What to read for this round; nil when nobody waits for anything.
    package var question: Question? {
        let ready = watchers.values.filter { !$0.isBusy }
        guard let oldest = ready.map(\.knowsUpTo).min() else { return nil }
        return Question(after: oldest, banners: ready.reduce(into: []) { $0.formUnion($1.topic.banners) })
    }

    /// Ends a round.
    /// - Parameter changes: the answer to `question`.
    package mutating func deliver(_ changes: LiveChanges) -> [Delivery] {
        let ready = watchers.filter { !$0.value.isBusy }
        let groups = Dictionary(grouping: ready.keys) { id in
            Group(topic: ready[id]!.topic, knowsUpTo: ready[id]!.knowsUpTo)  // `id` is a key of `ready`.
        }
        let deliveries = groups.map { group, ids in deliver(changes, to: group, ids.sorted()) }.compactMap { $0 }
        return deliveries.sorted { $0.watchers[0] < $1.watchers[0] }
    }

    private mutating func deliver(_ changes: LiveChanges, to group: Group, _ ids: [WatcherID]) -> Delivery? {
        if isTooOld(group, for: changes) { return send(.state, to: ids, knowsUpTo: group.knowsUpTo) }
        let news = changes.news(for: group.topic, after: group.knowsUpTo)
        if !news.isEmpty { return send(.changes(news), to: ids, knowsUpTo: max(group.knowsUpTo, changes.upTo)) }
        for id in ids {
            watchers[id]?.quietRounds += 1
            watchers[id]?.knowsUpTo = max(group.knowsUpTo, changes.upTo)
        }
        let silent = ids.filter { (watchers[$0]?.quietRounds ?? 0) >= LiveDesk.roundsBetweenHeartbeats }
        return silent.isEmpty ? nil : send(.heartbeat, to: silent, knowsUpTo: max(group.knowsUpTo, changes.upTo))
    }

    private func isTooOld(_ group: Group, for changes: LiveChanges) -> Bool {
        !group.topic.banners.isEmpty && group.knowsUpTo < changes.missingUpTo
    }

    private mutating func send(_ content: Content, to ids: [WatcherID], knowsUpTo: LogOffset) -> Delivery {
        for id in ids {
            watchers[id]?.isBusy = true
            watchers[id]?.quietRounds = 0
            watchers[id]?.knowsUpTo = knowsUpTo
        }
        return Delivery(watchers: ids, content: content)
    }
}
