// SPDX-License-Identifier: Apache-2.0

import Synchronization
package import TallyCore

/// Decides who is let in: the minute of each event, whether its kind and its banner may be counted.
package final class Admission: Sendable {
    private struct State {
        var window: EventWindow
        var kinds: Set<Kind>
    }

    private let state: Mutex<State>
    private let banners: BannerRegistry
    private let clock: any WallClock

    /// - Parameter kinds: those that the log knows already.
    package init(window: EventWindow, kinds: [Kind], banners: BannerRegistry, clock: any WallClock) {
        self.state = Mutex(State(window: window, kinds: Set(kinds)))
        self.banners = banners
        self.clock = clock
    }

    package func admit(_ input: EventInput, backfill: Bool) throws(EventRejection) -> CountedEvent {
        guard (1...Limits.eventCount).contains(input.count) else { throw .countOutOfRange(input.count) }
        if let id = input.id { try Admission.check(id) }
        let minute = try decideMinute(input.time, backfill: backfill)
        try admit(input.banner)
        try admit([input.kind])
        let id = input.id.map { EventID($0, banner: input.banner, kind: input.kind) }
        return CountedEvent(banner: input.banner, kind: input.kind, minute: minute, count: input.count, id: id)
    }

    /// A chunk of another node comes with its minutes decided; its banners and kinds are checked like any others.
    package func admit(_ chunk: Chunk) throws(EventRejection) {
        try admit(chunk.kinds)
        for delta in chunk.deltas { try admit(delta.banner) }
        for identified in chunk.identified { try admit(identified.delta.banner) }
    }

    private static func check(_ id: String) throws(EventRejection) {
        let bytes = id.utf8.count
        if bytes == 0 { throw .idEmpty }
        if bytes > Limits.eventIDBytes { throw .idTooLong(bytes: bytes) }
    }

    /// What the log's time may become: from now on nothing is admitted that it makes final.
    func now() -> Timestamp {
        let now = clock.now()
        state.withLock { $0.window.observe(now) }
        return now
    }

    private func decideMinute(_ time: Timestamp?, backfill: Bool) throws(EventRejection) -> Minute {
        let now = clock.now()
        switch state.withLock({ $0.window.decide(time, now: now, backfill: backfill) }) {
        case .accepted(let minute): return minute
        case .tooOld(let earliest): throw .tooOld(earliest: earliest)
        case .tooEarly(let latest): throw .inFuture(latest: latest)
        }
    }

    private func admit(_ banner: BannerID) throws(EventRejection) {
        switch banners.admit(banner) {
        case nil: return
        case .unknownBanner(let id): throw .unknownBanner(id)
        case .tooManyBanners(let limit): throw .tooManyBanners(limit: limit)
        case .nameTaken, .idsExhausted: preconditionFailure("an event brings no name")
        }
    }

    private func admit(_ kinds: [Kind]) throws(EventRejection) {
        let fits = state.withLock { state in
            let new = kinds.filter { !state.kinds.contains($0) }
            guard state.kinds.count + new.count <= Limits.kinds else { return false }
            state.kinds.formUnion(new)
            return true
        }
        if !fits { throw .tooManyKinds(limit: Limits.kinds) }
    }
}
