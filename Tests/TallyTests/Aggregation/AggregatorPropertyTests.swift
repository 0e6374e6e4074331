// SPDX-License-Identifier: Apache-2.0

import TallyCore
import TallySimulator
import Testing

/// Random logs, read by aggregators that crash, fall behind, flush half and time out: the rows are always those of the
/// plain count, and every answer on the way is the count of exactly what was read.
@Suite struct AggregatorPropertyTests {
    private static let configuration = Aggregator.Configuration(window: .seconds(600), windowLimit: 9, seed: 7)

    @Test("Any crashes, half flushes and rivals give the rows of the plain count", arguments: 0..<120 as Range<UInt64>)
    func convergence(seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        let layout = Layout.allCases.randomElement(using: &generator)!
        let log = RandomLog(chunks: 60, using: &generator)
        let store = MemoryStore(layout: layout)
        // Two readers of one log: a rival after a rebalance must do no harm.
        var readers = [try await Reader(log: log, store: store), try await Reader(log: log, store: store)]

        for _ in 0..<200 {
            let reader = Int.random(in: 0..<2, using: &generator)
            switch Int.random(in: 0..<100, using: &generator) {
            case 0..<60: readers[reader].applyNext()
            case 60..<70: try await readers[reader].load()
            case 70..<80: try await readers[reader].flush()
            case 80..<88: try await readers[reader].flushPart(using: &generator)
            case 88..<94: readers[reader] = try await Reader(log: log, store: store)
            default: try await readers[reader].checkAnswer(seed: seed)
            }
        }
        for reader in 0..<2 {
            while readers[reader].applyNext() {}
            try await readers[reader].checkAnswer(seed: seed)
            try await readers[reader].load()
            try await readers[reader].flush()
        }
        let stored = try await store.rows(in: .everything)
        let counts = MinuteCount.merge(stored: stored, unflushed: [], of: RandomLog.id, in: .everything, layout: layout)
        #expect(counts == Reader.plainCount(of: log.entries[...]), "seed \(seed)")
        let sightings = try await store.sightings(of: nil, in: Day.first...Day.last)
        #expect(sightings.byPlace == Reader.reference(log.entries[...]).sightings, "seed \(seed)")
    }

    private struct Reader {
        let log: RandomLog
        let store: MemoryStore
        var aggregator: Aggregator

        /// Begins as after a crash: with the store's checkpoint alone.
        init(log: RandomLog, store: MemoryStore) async throws {
            self.log = log
            self.store = store
            let checkpoint = try await store.checkpoint(of: RandomLog.id) ?? .start
            aggregator = Aggregator(layout: store.layout, checkpoint: checkpoint, configuration: configuration)
            while aggregator.position < checkpoint.upTo { applyNext() }
        }

        @discardableResult mutating func applyNext() -> Bool {
            guard let entry = log.entries.first(where: { $0.offset > aggregator.position }) else { return false }
            _ = aggregator.apply(entry)
            return true
        }

        mutating func load() async throws {
            while aggregator.hasRowsToLoad {
                let keys = aggregator.takeKeysToLoad(most: 3)
                aggregator.resolve(keys, with: try await store.rows(of: RandomLog.id, at: keys))
            }
        }

        mutating func flush() async throws {
            guard let flush = aggregator.beginFlush() else { return }
            try await store.merge(flush.rows, of: RandomLog.id)
            try await store.merge(flush.sightings)
            try await store.save(flush.checkpoint, of: RandomLog.id)
            aggregator.finishFlush(flush)
        }

        /// A store that takes some rows and then times out: nobody learns which.
        mutating func flushPart(using generator: inout SeededGenerator) async throws {
            guard let flush = aggregator.beginFlush() else { return }
            let part = flush.rows.shuffled(using: &generator).prefix(Int.random(in: 0...4, using: &generator))
            try await store.merge(Array(part), of: RandomLog.id)
            try await store.merge(Array(flush.sightings.shuffled(using: &generator).prefix(part.count)))
        }

        /// What a query answers now is the count of all that was read by whoever read furthest for each row, so at least
        /// what this reader has read and at most the whole log.
        func checkAnswer(seed: UInt64) async throws {
            let unflushed = aggregator.unflushed(in: .everything)
            let stored = try await store.rows(in: .everything)
            let answer = MinuteCount.merge(
                stored: stored, unflushed: unflushed, of: RandomLog.id, in: .everything, layout: store.layout)
            let least = Reader.plainCount(of: log.entries.prefix { $0.offset <= aggregator.position })
            let most = Reader.plainCount(of: log.entries[...])
            #expect(Reader.isCovered(least, by: answer), "seed \(seed): an event that was read is missing")
            #expect(Reader.isCovered(answer, by: most), "seed \(seed): more than the log holds")
            try await checkSightings(seed: seed)
        }

        private func checkSightings(seed: UInt64) async throws {
            let banners = Set((Int64(1)...4).compactMap { BannerID($0) })
            let days = Day.first...Day.last
            let unflushed = aggregator.sightings(of: banners, in: days)
            let answer = (unflushed + (try await store.sightings(of: banners, in: days))).byPlace
            let least = Reader.reference(log.entries.prefix { $0.offset <= aggregator.position }).sightings
            let most = Reader.reference(log.entries[...]).sightings
            #expect(least.allSatisfy { answer[$0.key, default: 0] >= $0.value }, "seed \(seed): a visitor is missing")
            #expect(answer.allSatisfy { most[$0.key, default: 0] >= $0.value }, "seed \(seed): a visitor nobody saw")
        }

        static func plainCount(of entries: ArraySlice<LogEntry>) -> [MinuteCount] {
            reference(entries).minuteCounts
        }

        static func reference(_ entries: ArraySlice<LogEntry>) -> ReferenceCount {
            var reference = ReferenceCount(window: configuration.window, limit: configuration.windowLimit)
            for entry in entries { reference.count(entry.chunk) }
            return reference
        }

        private static func isCovered(_ less: [MinuteCount], by more: [MinuteCount]) -> Bool {
            let counts = Dictionary(uniqueKeysWithValues: more.map { (Key($0), $0.count) })
            return less.allSatisfy { $0.count <= counts[Key($0), default: 0] }
        }

        private struct Key: Hashable {
            let banner: BannerID
            let kind: Kind
            let minute: Minute

            init(_ count: MinuteCount) {
                banner = count.banner
                kind = count.kind
                minute = count.minute
            }
        }
    }
}

extension [Sighting] {
    /// The highest rank of each place.
    var byPlace: [Sighting.Place: UInt8] {
        Dictionary(map { ($0.place, $0.rank) }, uniquingKeysWith: Swift.max)
    }
}
