// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// What a log means, worked out in the plainest way: which events of it count, and what each row is at every offset.
/// It shares no code with the aggregator.
struct ReferenceCount {
    /// A row's history: for each minute of it, the sum after each offset that changed it.
    struct History {
        struct Sum {
            let offset: Int64
            let sum: Int64
        }

        var minutes: [(index: Int, sums: [Sum])] = []

        mutating func add(_ count: Int64, minute index: Int, at offset: Int64) {
            let place: Int
            if let found = minutes.firstIndex(where: { $0.index == index }) {
                place = found
            } else {
                place = minutes.count
                minutes.append((index, []))
            }
            let sum = (minutes[place].sums.last?.sum ?? 0) + count
            if minutes[place].sums.last?.offset == offset { minutes[place].sums.removeLast() }
            minutes[place].sums.append(Sum(offset: offset, sum: sum))
        }

        /// The sum of a minute up to an offset.
        static func sum(_ sums: [Sum], upTo offset: Int64) -> Int64 {
            // Nearly always the question is about the end.
            sums.last { $0.offset <= offset }?.sum ?? 0
        }

        func total(upTo offset: Int64) -> Int64 {
            minutes.reduce(0) { $0 + History.sum($1.sums, upTo: offset) }
        }

        /// The last offset, not behind `offset`, that changed the row; 0 for none.
        func lastChange(upTo offset: Int64) -> Int64 {
            minutes.reduce(0) { last, minute in
                max(last, minute.sums.last { $0.offset <= offset }?.offset ?? 0)
            }
        }

        func isEqual(to counts: RowCounts, upTo offset: Int64) -> Bool {
            minutes.allSatisfy { counts[$0.index] == History.sum($0.sums, upTo: offset) }
                && counts.total == total(upTo: offset)
        }
    }

    private let layout: Layout
    private let window: Duration
    private let windowLimit: Int
    private var chunks: Set<ChunkName> = []
    /// The chunks whose ids are known, oldest first.
    private var groups: [(offset: Int64, time: Timestamp, ids: Int)] = []
    private var firstGroup = 0
    private var knownIDs = 0
    private var lastSeen: [EventID: Int64] = [:]
    private(set) var time = Timestamp.epoch
    private(set) var rows: [RowKey: History] = [:]
    /// Every change of a row, in the order of the log.
    private(set) var changes: [(offset: Int64, key: RowKey)] = []

    init(layout: Layout, window: Duration, windowLimit: Int) {
        self.layout = layout
        self.window = window
        self.windowLimit = windowLimit
    }

    func contains(_ name: ChunkName) -> Bool { chunks.contains(name) }

    mutating func add(_ chunk: Chunk, at offset: Int64) {
        time = max(time, chunk.time)
        while firstGroup < groups.count, groups[firstGroup].time.advanced(by: window) < time { forgetGroup() }
        let oldest = firstGroup < groups.count ? groups[firstGroup].offset : offset
        // What says that an event is invalid stands behind it, and counts if the event does.
        var isNew: [Bool] = []
        for event in chunk.identified {
            if ReferenceCount.isInvalid(event, in: chunk), let last = isNew.last {
                isNew.append(last)
            } else {
                let known = lastSeen.updateValue(offset, forKey: event.id)
                isNew.append(known.map { $0 < oldest } ?? true)
            }
        }
        if !chunk.identified.isEmpty {
            let ids = chunk.identified.count { !ReferenceCount.isInvalid($0, in: chunk) }
            groups.append((offset, time, ids))
            knownIDs += ids
            while knownIDs > windowLimit, firstGroup < groups.count - 1 { forgetGroup() }
        }
        guard chunks.insert(ChunkName(chunk)).inserted else { return }
        for delta in chunk.deltas { count(delta, of: chunk, at: offset) }
        for (event, isNew) in zip(chunk.identified, isNew) where isNew { count(event.delta, of: chunk, at: offset) }
    }

    private static func isInvalid(_ event: IdentifiedDelta, in chunk: Chunk) -> Bool {
        chunk.kinds[Int(event.delta.kind)].name.contains(".")
    }

    /// At each offset no more events of a counter are invalid than there are.
    func flawInInvalid(of chunk: Chunk) -> String? {
        for delta in chunk.deltas + chunk.identified.map(\.delta) {
            let kind = chunk.kinds[Int(delta.kind)]
            guard kind.name.contains(".") else { continue }
            let invalid = Kind(kind.name.prefix { $0 != "." }).map { base in
                InvalidReason.allCases.reduce(0) { $0 + sum(of: delta, as: base.invalid($1)) }
                    <= sum(of: delta, as: base)
            }
            if invalid != true { return "more events of \(delta.banner) are invalid than there are" }
        }
        return nil
    }

    private func sum(of delta: Delta, as kind: Kind) -> Int64 {
        let start = layout.rowStart(of: delta.minute)
        let index = Int(delta.minute.sinceEpoch - start.sinceEpoch)
        let history = rows[RowKey(banner: delta.banner, kind: kind, start: start)]
        return history?.minutes.first { $0.index == index }?.sums.last?.sum ?? 0
    }

    private mutating func forgetGroup() {
        knownIDs -= groups[firstGroup].ids
        firstGroup += 1
    }

    private mutating func count(_ delta: Delta, of chunk: Chunk, at offset: Int64) {
        let start = layout.rowStart(of: delta.minute)
        let key = RowKey(banner: delta.banner, kind: chunk.kinds[Int(delta.kind)], start: start)
        let index = Int(delta.minute.sinceEpoch - start.sinceEpoch)
        rows[key, default: History()].add(delta.count, minute: index, at: offset)
        changes.append((offset, key))
    }
}
