// SPDX-License-Identifier: Apache-2.0

import ServiceLifecycle
import Synchronization
package import TallyCore

/// The live stream of a server that answers for others: it asks the same as any query does, once a second while somebody
/// watches, and notices what is different.
///
/// Its positions are its own, a new number for each answer that brought something. A client that comes from another server,
/// or from before a restart, is told the state anew.
package final class PolledLiveSource: LiveSource, Service {
    fileprivate struct Told {
        var count: Int64
        var version: Int64
    }

    fileprivate struct State {
        var version: Int64 = 0
        var minutes: [MinuteKey: Told] = [:]
        var sums: [RecentSums.Key: Told] = [:]
        /// Those that are kept up to date, each with the number of polls since somebody asked for it.
        var banners: [BannerID: Int] = [:]
        /// The same for the sums; nil while they are not kept.
        var sumsIdle: Int?
    }

    fileprivate struct MinuteKey: Hashable {
        var banner: BannerID
        var kind: Kind
        var minute: Minute
    }

    package let log: LogID
    private let query: Query
    private let clock: any WallClock
    private let state = Mutex(State())

    /// - Parameter identity: never used before.
    package init(query: Query, clock: any WallClock, identity: NodeID) {
        guard let log = LogID("live-\(identity)") else { preconditionFailure("the name is allowed") }
        self.log = log
        self.query = query
        self.clock = clock
    }

    package var position: LogOffset { state.withLock { LogOffset($0.version) } }

    package func changes(after offset: LogOffset, of banners: Set<BannerID>) -> LiveChanges {
        state.withLock { state in
            var changes = LiveChanges()
            changes.upTo = LogOffset(state.version)
            // What was forgotten meanwhile has to be told anew.
            if !banners.allSatisfy({ state.banners[$0] != nil }) { changes.missingUpTo = changes.upTo }
            for banner in banners where state.banners[banner] != nil { state.banners[banner] = 0 }
            if state.sumsIdle != nil { state.sumsIdle = 0 }
            changes.rows = state.minutes.filter { $0.value.version > offset.value && banners.contains($0.key.banner) }
                .sorted { ($0.key.minute, $0.key.banner, $0.key.kind) < ($1.key.minute, $1.key.banner, $1.key.kind) }
                .map { key, told in
                    Row(
                        key: RowKey(banner: key.banner, kind: key.kind, start: key.minute),
                        counts: .minute(told.count), upTo: LogOffset(told.version))
                }
            changes.sums = state.sums(after: offset)
            return changes
        }
    }

    package func prepare(_ topic: LiveTopic) async throws(StoreError) {
        let (banners, needsSums) = state.withLock { state in
            (topic.banners.subtracting(state.banners.keys), topic.sums && state.sumsIdle == nil)
        }
        if !banners.isEmpty { try await readMinutes(of: banners) }
        if needsSums { try await readSums(from: firstMinute) }
        state.withLock { state in
            for banner in topic.banners { state.banners[banner] = 0 }
            if topic.sums { state.sumsIdle = 0 }
        }
    }

    package func state(of topic: LiveTopic) async throws(StoreError) -> LiveState {
        try await prepare(topic)
        let from = firstMinute
        return state.withLock { state in
            let counts = state.minutes.filter { topic.banners.contains($0.key.banner) && $0.key.minute >= from }
                .map { MinuteCount(banner: $0.banner, kind: $0.kind, minute: $0.minute, count: $1.count) }
            let sums = topic.sums ? state.sums(after: .none).filter { $0.minute >= from } : []
            return LiveState(from: from, upTo: LogOffset(state.version), sums: sums, counts: counts.sorted())
        }
    }

    // MARK: Asking

    private var firstMinute: Minute { Minute(clock.now()).advanced(by: -RecentSums.keptMinutes) }

    /// Of late events in minutes before these, sums of all banners hear when the stream is opened anew.
    private static let minutesPolled: Int64 = 3
    /// What nobody asks for in so many seconds is not kept any more. A connection that takes nothing for so long is cut off.
    private static let idlePolls = 120

    package func run() async {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: .seconds(1))
                await self.poll()
            }
        }
    }

    /// A store that is away is asked again in a second.
    package func poll() async {
        let (banners, keepsSums) = state.withLock { state in
            state.forget(idle: PolledLiveSource.idlePolls)
            return (Set(state.banners.keys), state.sumsIdle != nil)
        }
        if !banners.isEmpty { try? await readMinutes(of: banners) }
        if keepsSums {
            try? await readSums(from: Minute(clock.now()).advanced(by: 1 - PolledLiveSource.minutesPolled))
        }
        let first = firstMinute
        state.withLock { state in
            state.minutes = state.minutes.filter { $0.key.minute >= first }
            state.sums = state.sums.filter { $0.key.minute >= first }
        }
    }

    private func readMinutes(of banners: Set<BannerID>) async throws(StoreError) {
        var counts: [MinuteCount] = []
        let all = Array(banners)
        for start in stride(from: 0, to: all.count, by: LiveTopic.maximumBanners) {
            let some = Set(all[start..<min(start + LiveTopic.maximumBanners, all.count)])
            let range = RowRange(banners: some, minutes: firstMinute ... .last)
            counts += try await query.minuteCounts(in: range).value
        }
        state.withLock { state in
            var news = state.version
            for one in counts {
                let key = MinuteKey(banner: one.banner, kind: one.kind, minute: one.minute)
                state.minutes[key].note(one.count, version: state.version + 1, &news)
            }
            state.version = news
        }
    }

    private func readSums(from first: Minute) async throws(StoreError) {
        let sums = try await query.sums(in: first ... .last)
        state.withLock { state in
            var news = state.version
            for (key, count) in sums { state.sums[key].note(count, version: state.version + 1, &news) }
            state.version = news
        }
    }
}

extension PolledLiveSource.State {
    fileprivate func sums(after offset: LogOffset) -> [LiveChanges.Sum] {
        sums.filter { $0.value.version > offset.value }
            .sorted { ($0.key.minute, $0.key.kind) < ($1.key.minute, $1.key.kind) }
            .map { key, told in
                LiveChanges.Sum(
                    kind: key.kind, minute: key.minute, count: told.count, upTo: LogOffset(told.version))
            }
    }

    /// The version rises, so that who comes back to what was forgotten is behind.
    fileprivate mutating func forget(idle limit: Int) {
        banners = banners.mapValues { $0 + 1 }
        sumsIdle = sumsIdle.map { $0 + 1 }
        let idle = Set(banners.filter { $0.value > limit }.keys)
        if !idle.isEmpty {
            banners = banners.filter { !idle.contains($0.key) }
            minutes = minutes.filter { !idle.contains($0.key.banner) }
            version += 1
        }
        if sumsIdle ?? 0 > limit { (sums, sumsIdle) = ([:], nil) }
    }
}

extension PolledLiveSource.Told? {
    /// A partition that can't be asked for a moment makes counts smaller; they only grow.
    fileprivate mutating func note(_ count: Int64, version: Int64, _ news: inout Int64) {
        if let self, self.count >= count { return }
        self = PolledLiveSource.Told(count: count, version: version)
        news = version
    }
}
