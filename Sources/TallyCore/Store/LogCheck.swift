// SPDX-License-Identifier: Apache-2.0

/// Compares what a store has of a log with the chunks that the log still holds, up to the store's checkpoint. No I/O.
///
/// What the log has dropped is in the store alone, and whether an event id was known before can't be told from the rest.
/// So each minute must have at least what the log holds without ids; and where the log holds everything, it must have no
/// more than all of it. Behind the horizon of the log the store has hours, and behind that nothing.
package struct LogCheck: Sendable {
    /// What the log holds of one row.
    private struct Held: Sendable {
        /// Without ids: certainly counted.
        var certain: RowCounts
        /// With ids: counted at most.
        var most: RowCounts
        /// The last chunk with something certain.
        var last = LogOffset.none
    }

    /// The store's row and the log contradict each other.
    package struct Contradiction: Equatable, Sendable {
        package let key: RowKey
        package let what: String
    }

    package let log: LogID
    package let layout: Layout
    package let checkpoint: Checkpoint
    package let horizon: Horizon
    /// Chunks up to the checkpoint.
    package private(set) var chunks = 0
    /// Whether the log still has its first chunk.
    package private(set) var isWhole = false
    private var held: [RowKey: Held] = [:]
    private var sequences: [NodeID: SequenceRanges] = [:]

    /// - Parameters:
    ///   - checkpoint: the store's; nil when it has none.
    ///   - horizon: the store's, for this log.
    package init(log: LogID, layout: Layout, checkpoint: Checkpoint?, horizon: Horizon = .none) {
        self.log = log
        self.layout = layout
        self.checkpoint = checkpoint ?? .start
        self.horizon = horizon
    }

    /// Reads the next chunk of the log.
    package mutating func read(_ entry: LogEntry) {
        guard entry.offset <= checkpoint.upTo else { return }
        if entry.offset == LogOffset(1) { isWhole = true }
        chunks += 1
        var numbers = sequences.removeValue(forKey: entry.chunk.node) ?? SequenceRanges()
        let isNew = numbers.insert(entry.chunk.sequence)
        sequences[entry.chunk.node] = numbers
        guard isNew else { return }
        for delta in entry.chunk.deltas { add(delta, of: entry, isCertain: true) }
        for identified in entry.chunk.identified { add(identified.delta, of: entry, isCertain: false) }
    }

    private mutating func add(_ delta: Delta, of entry: LogEntry, isCertain: Bool) {
        guard let minute = horizon.comparedPlace(of: delta.minute) else { return }
        let key = RowKey(
            banner: delta.banner, kind: entry.chunk.kinds[Int(delta.kind)], start: layout.rowStart(of: minute))
        let index = Int(minute.sinceEpoch - key.start.sinceEpoch)
        var held = self.held.removeValue(forKey: key) ?? Held(certain: .zero(layout), most: .zero(layout))
        held.most[index] = held.most[index].addingSaturated(delta.count)
        if isCertain {
            held.certain[index] = held.certain[index].addingSaturated(delta.count)
            held.last = entry.offset
        }
        self.held[key] = held
    }

    /// The rows that the log speaks of.
    package var keys: [RowKey] { held.keys.sorted() }

    /// Where the store has what the log says of a row: a store whose last expiry was cut off still has minutes there.
    package func places(of key: RowKey) -> [RowKey] {
        guard layout == .minute, key.start < horizon.collapsed else { return [key] }
        return (Int64(0)..<60).map { minute in
            var place = key
            place.start = key.start.advanced(by: minute)
            return place
        }
    }

    /// - Parameter rows: what the store has at the places of some of the keys.
    package func contradictions(at keys: some Collection<RowKey>, in rows: [Row]) -> [Contradiction] {
        let rows = horizon.applied(to: rows, minutesPerTotal: 60)
        let stored = Dictionary(rows.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
        return keys.flatMap { key in held[key].map { contradictions(of: stored[key], at: key, with: $0) } ?? [] }
    }

    /// Of these rows of the log, those of which a log that is whole knows nothing.
    package func unknown(_ rows: [Row]) -> [Contradiction] {
        guard isWhole else { return [] }
        let unknown = horizon.applied(to: rows, minutesPerTotal: 60).filter {
            $0.upTo <= checkpoint.upTo && $0.counts.total > 0 && held[$0.key] == nil
        }
        return unknown.map { row in
            Contradiction(key: row.key, what: "\(row.counts.total) in the store, nothing in the log")
        }
    }

    private func contradictions(of row: Row?, at key: RowKey, with held: Held) -> [Contradiction] {
        let upTo = row?.upTo ?? .none
        var found: [Contradiction] = []
        if let row, upTo < held.last {
            let what = "counted up to offset \(row.upTo), and the log has more of it at \(held.last)"
            found.append(Contradiction(key: key, what: what))
        }
        for index in 0..<layout.minutesPerRow {
            var place = key
            place.start = key.start.advanced(by: Int64(index))
            let count = row?.counts[index] ?? 0
            if count < held.certain[index] {
                let what = "\(count) in the store, at least \(held.certain[index]) in the log"
                found.append(Contradiction(key: place, what: what))
            } else if isWhole, upTo <= checkpoint.upTo, count > held.most[index] {
                let what = "\(count) in the store, at most \(held.most[index]) in the log"
                found.append(Contradiction(key: place, what: what))
            }
        }
        return found
    }
}

extension LogCheck.Contradiction: CustomStringConvertible {
    package var description: String { "banner \(key.banner), \(key.kind), \(key.start.text()): \(what)" }
}
