// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// The live stream's view of a node: the aggregator's memory, and the store for what was counted before.
struct NodeLiveSource: LiveSource {
    let log: LogID
    let store: any CountStore
    let aggregation: Aggregation
    let query: Query
    let clock: any WallClock
    /// One reads what was counted before, and the others wait for that.
    private let loading = Turns()

    init(log: LogID, store: any CountStore, aggregation: Aggregation, query: Query, clock: any WallClock) {
        self.log = log
        self.store = store
        self.aggregation = aggregation
        self.query = query
        self.clock = clock
    }

    func changes(after offset: LogOffset, of banners: Set<BannerID>) -> LiveChanges {
        aggregation.liveChanges(after: offset, of: banners)
    }

    var position: LogOffset { aggregation.positions.counted }

    func prepare(_ topic: LiveTopic) async throws(StoreError) { if topic.sums { try await loadSums() } }

    func state(of topic: LiveTopic) async throws(StoreError) -> LiveState {
        try await prepare(topic)
        let from = Minute(clock.now()).advanced(by: -RecentSums.keptMinutes)
        let known = aggregation.liveChanges(after: .none, of: [])
        var state = LiveState(from: from, upTo: known.upTo)
        if topic.sums { state.sums = known.sums.filter { $0.minute >= from } }
        if !topic.banners.isEmpty {
            let range = RowRange(banners: topic.banners, minutes: from ... .last)
            state.counts = try await query.minuteCounts(in: range).value
        }
        return state
    }

    // MARK: What was counted before

    private func loadSums() async throws(StoreError) {
        await loading.begin()
        defer { loading.end() }
        guard aggregation.beginSums() else { return }
        do throws(StoreError) {
            var slices: [RecentSums.Slice] = []
            for minutes in sliceMinutes { slices.append(try await slice(minutes)) }
            aggregation.finishSums(slices)
        } catch {
            aggregation.failSums()
            throw error
        }
    }

    /// An hour and what is still to come, in pieces: a busy hour of many banners is large.
    private var sliceMinutes: [ClosedRange<Minute>] {
        let length = Int64(max(10, store.layout.minutesPerRow))
        let first = store.layout.rowStart(of: Minute(clock.now()).advanced(by: -RecentSums.keptMinutes))
        let starts = (0...RecentSums.keptMinutes / length).map { first.advanced(by: $0 * length) }
        return zip(starts, starts.dropFirst()).map { $0...$1.advanced(by: -1) } + [starts[starts.count - 1] ... .last]
    }

    /// A flush in between may have put into the store what is behind the offset that the memory was read at: then it is
    /// read again.
    private func slice(_ minutes: ClosedRange<Minute>) async throws(StoreError) -> RecentSums.Slice {
        let range = RowRange(minutes: minutes)
        for _ in 0..<10 {
            let (upTo, unflushed) = aggregation.unflushedWithPosition(in: range)
            let counts = try await query.sums(in: range, with: [log: unflushed]) { stored in
                !stored.contains { $0.log == log && $0.row.upTo > upTo }
            }
            if let counts { return RecentSums.Slice(minutes: minutes, upTo: upTo, counts: counts) }
        }
        throw .unavailable("the store is written more often than ten minutes of all banners can be read")
    }
}
