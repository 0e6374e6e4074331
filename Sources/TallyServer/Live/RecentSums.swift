// SPDX-License-Identifier: Apache-2.0

package import TallyCore

/// Counts over all banners, by kind and minute, of the last hour or two. Nobody pays for them before somebody looks:
///
///     idle ──begin──► loading ──finish──► loaded
///              ▲         │
///              └─ fail ──┘
///
/// While what was counted before is read, what comes is kept apart by offset, so that nothing counts twice or is missed.
package struct RecentSums: Sendable {
    package struct Key: Hashable, Sendable {
        package var kind: Kind
        package var minute: Minute
    }

    package struct Sum: Equatable, Sendable {
        package var count: Int64 = 0
        /// The last change of it.
        package var upTo = LogOffset.none
    }

    /// What the log says up to an offset about some minutes.
    package struct Slice: Equatable, Sendable {
        package var minutes: ClosedRange<Minute>
        package var upTo: LogOffset
        package var counts: [Key: Int64]
    }

    private enum State: Sendable {
        case idle
        case loading([(offset: LogOffset, addition: MinuteAddition)])
        case loaded([Key: Sum], from: Minute)
    }

    private var state = State.idle

    package init() {}

    /// Somebody has looked, so that it wants to know what is counted.
    package var isWanted: Bool { if case .idle = state { false } else { true } }

    package var isLoaded: Bool { if case .loaded = state { true } else { false } }

    /// The first minute that is known; nil before anything is.
    package var first: Minute? { if case .loaded(_, let from) = state { from } else { nil } }

    package mutating func begin() { if case .idle = state { state = .loading([]) } }

    package mutating func fail() { if case .loading = state { state = .idle } }

    /// - Parameter slices: ascending, without a gap; the last one reaches to the end of time.
    package mutating func finish(_ slices: [Slice]) {
        guard case .loading(let additions) = state, let first = slices.first?.minutes.lowerBound else { return }
        var sums: [Key: Sum] = [:]
        for slice in slices {
            for (key, count) in slice.counts { sums[key] = Sum(count: count, upTo: slice.upTo) }
        }
        for (offset, addition) in additions {
            guard let slice = slices.last(where: { $0.minutes.contains(addition.minute) }), offset > slice.upTo else {
                continue
            }
            RecentSums.add(addition, at: offset, to: &sums)
        }
        state = .loaded(sums, from: first)
    }

    /// What a chunk at this offset added.
    package mutating func add(_ additions: [MinuteAddition], at offset: LogOffset) {
        switch state {
        case .idle: break
        case .loading(var kept):
            state = .idle  // Gives up the array, so that it is changed in place.
            kept += additions.map { (offset, $0) }
            state = .loading(kept)
        case .loaded(var sums, let from):
            state = .idle
            for addition in additions where addition.minute >= from {
                RecentSums.add(addition, at: offset, to: &sums)
            }
            let first = RecentSums.forgetOld(in: &sums, from: from, latest: additions.last?.minute)
            state = .loaded(sums, from: first)
        }
    }

    /// What changed behind the offset, in the order of (minute, kind); nil before it is known.
    package func changes(after offset: LogOffset) -> [(key: Key, sum: Sum)]? {
        guard case .loaded(let sums, _) = state else { return nil }
        return sums.filter { $0.value.upTo > offset }.map { ($0.key, $0.value) }.sorted {
            ($0.key.minute, $0.key.kind) < ($1.key.minute, $1.key.kind)
        }
    }

    private static func add(_ addition: MinuteAddition, at offset: LogOffset, to sums: inout [Key: Sum]) {
        let key = Key(kind: addition.kind, minute: addition.minute)
        sums[key, default: Sum()].count = (sums[key]?.count ?? 0).addingSaturated(addition.count)
        sums[key]?.upTo = offset
    }

    /// - Returns: the first minute that is known from now on.
    private static func forgetOld(in sums: inout [Key: Sum], from: Minute, latest: Minute?) -> Minute {
        guard let latest, from < latest.advanced(by: -2 * keptMinutes) else { return from }
        let first = latest.advanced(by: -keptMinutes)
        sums = sums.filter { $0.key.minute >= first }
        return first
    }

    /// So many minutes before the latest are always known, once they were.
    package static let keptMinutes: Int64 = 60
}
