// SPDX-License-Identifier: Apache-2.0

import Synchronization
package import TallyCore

/// Decides who is let in: the minute of each event, whether its kind and its banner may be counted. What is new is
/// remembered when its request is committed, and not before.
package final class Admission: Sendable {
    private struct State {
        var window: EventWindow
        /// Those that have come, of the users'.
        var kinds: Set<Kind>
        var nodes: NodeLimit
    }

    private let state: Mutex<State>
    private let banners: BannerRegistry
    private let kindRule: KindRule
    private let maximumNodes: Int
    let clock: LogClock

    /// - Parameters:
    ///   - kinds: those that the log knows already.
    ///   - nodes: with the other nodes that the log knows already.
    package init(
        window: EventWindow, kindRule: KindRule, kinds: [Kind], nodes: NodeLimit, banners: BannerRegistry,
        clock: LogClock
    ) {
        self.kindRule = kindRule
        maximumNodes = nodes.maximumRanges
        self.state = Mutex(State(window: window, kinds: Set(kinds.filter { $0.reason == nil }), nodes: nodes))
        self.banners = banners
        self.clock = clock
    }

    /// Checks an event, and puts it to the others of its request. Whoever only wants to know throws `admitted` away.
    package func admit(_ input: EventInput, to admitted: inout AdmittedEvents) throws(EventRejection) {
        guard (1...Limits.eventCount).contains(input.count) else { throw .countOutOfRange(input.count) }
        if let id = input.id { try Admission.check(id) }
        let minute = try decideMinute(input.time, backfill: admitted.backfill)
        // Remembered together or not at all, and changed in place: a copy would copy all that is new in a large batch.
        let isNewKind = try isNew(input.kind, beside: admitted.newcomers)
        let isNewBanner = try isNew(input.banner, beside: admitted.newcomers)
        if isNewKind { admitted.newcomers.kinds.insert(input.kind) }
        if isNewBanner { admitted.newcomers.banners.insert(input.banner) }
        let id = input.id.map { EventID($0, banner: input.banner, kind: input.kind) }
        admitted.append(
            CountedEvent(
                banner: input.banner, kind: input.kind, minute: minute, count: input.count, id: id,
                invalid: input.invalid, visitor: input.visitor))
    }

    var wallTime: Timestamp { clock.now() }

    /// The minute of what happens now; nil when that can't be told.
    func presentMinute() -> Minute? {
        guard let now = try? clock.trustedNow() else { return nil }
        guard case .accepted(let minute) = state.withLock({ $0.window.decide(nil, now: now, backfill: false) }) else {
            preconditionFailure("what happens now has a minute that isn't final")
        }
        return minute
    }

    /// Whether one more event of now counts, of a turn that brings these newcomers.
    func admits(_ banner: BannerID, _ kind: Kind, with newcomers: inout Newcomers) -> Bool {
        guard let isNewKind = try? isNew(kind, beside: newcomers),
            let isNewBanner = try? isNew(banner, beside: newcomers)
        else { return false }
        // Changed in place, for the same reason.
        if isNewKind { newcomers.kinds.insert(kind) }
        if isNewBanner { newcomers.banners.insert(banner) }
        return true
    }

    /// Changes when somebody who was let in before may no longer be.
    var withdrawals: UInt64 { banners.withdrawals.value }

    /// A chunk of another node comes with its minutes decided, and may go back as far as minutes are kept; its banners and
    /// kinds are checked like any others.
    package func admit(_ chunk: Chunk) throws(EventRejection) -> AdmittedChunk {
        // A minute that is still to come would be the last of all for good; the first may be kept no more.
        let minutes = chunk.deltas.map(\.minute) + chunk.identified.map(\.delta.minute)
        for minute in [minutes.max(), minutes.min()].compactMap({ $0 }) {
            _ = try decideMinute(Timestamp(milliseconds: minute.unixSeconds * 1_000), backfill: true)
        }
        if let kind = chunk.kinds.first(where: { $0.reason != nil }) { throw .reservedKind(kind) }
        guard chunk.sightings.isEmpty else { throw .foreignSightings }
        let name = ChunkName(node: chunk.node, sequence: chunk.sequence)
        guard state.withLock({ $0.nodes.admits(name) }) else { throw .tooManyNodes(limit: maximumNodes) }
        var newcomers = Newcomers(chunk: name)
        for kind in chunk.kinds where try isNew(kind, beside: newcomers) { newcomers.kinds.insert(kind) }
        for delta in chunk.deltas + chunk.identified.map(\.delta) where try isNew(delta.banner, beside: newcomers) {
            newcomers.banners.insert(delta.banner)
        }
        return AdmittedChunk(chunk: chunk, newcomers: newcomers)
    }

    /// Whether there still is room for what was new when it was admitted: others may have come first.
    func hasRoom(for newcomers: Newcomers) -> Bool {
        if newcomers.isEmpty { return true }
        let (kinds, admitsChunk) = state.withLock { state in
            (state.kinds.union(newcomers.kinds), newcomers.chunk.map(state.nodes.admits) ?? true)
        }
        return admitsChunk && kindRule.hasRoom(for: kinds) && banners.hasRoom(for: newcomers.banners)
    }

    /// What was new is going to be in the log.
    func note(_ newcomers: Newcomers) {
        if newcomers.isEmpty { return }
        state.withLock { state in
            state.kinds.formUnion(newcomers.kinds)
            if let chunk = newcomers.chunk { state.nodes.note(chunk) }
        }
        banners.note(newcomers.banners)
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
        let now = try clock.trustedNow()
        switch state.withLock({ $0.window.decide(time, now: now, backfill: backfill) }) {
        case .accepted(let minute): return minute
        case .tooOld(let earliest) where backfill && earliest > .first: throw .expired(earliest: earliest)
        case .tooOld(let earliest): throw .tooOld(earliest: earliest)
        case .tooEarly(let latest): throw .inFuture(latest: latest)
        }
    }

    private func isNew(_ banner: BannerID, beside newcomers: Newcomers) throws(EventRejection) -> Bool {
        if newcomers.banners.contains(banner) { return false }
        do throws(BannerDirectory.Refusal) {
            return try banners.admit(banner, with: newcomers.banners.count)
        } catch {
            switch error {
            case .unknownBanner(let id): throw .unknownBanner(id)
            case .tooManyBanners(let limit): throw .tooManyBanners(limit: limit)
            case .storeAway: throw .bannersUnknown
            case .nameTaken, .idsExhausted, .tooMuchText: preconditionFailure("an event brings no name")
            }
        }
    }

    private func isNew(_ kind: Kind, beside newcomers: Newcomers) throws(EventRejection) -> Bool {
        let known = state.withLock { $0.kinds }
        do throws(KindRule.Refusal) {
            return try kindRule.admit(kind, beside: known, with: newcomers.kinds)
        } catch {
            switch error {
            case .tooMany(let limit): throw .tooManyKinds(limit: limit)
            case .notListed(let allowed): throw .unknownKind(kind, allowed: allowed)
            }
        }
    }
}
