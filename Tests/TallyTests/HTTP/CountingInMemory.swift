// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TallyCore

@testable import TallyServer

/// Counts in a dictionary, by the same rules as the server: the routes are tested alone.
final class CountingInMemory: CountingService {
    struct State {
        var now = Timestamp(milliseconds: 1_733_997_900_000)  // 2024-12-12T10:05:00Z
        var watermark = Minute.first
        var behind: [Freshness.Behind] = []
        var views: [LogView] = []
        var counts: [RowKey: Int64] = [:]
        var sightings: [Sighting] = []
        var eventIDs: Set<EventID> = []
        var sequences: [NodeID: SequenceRanges] = [:]
        var directory = BannerDirectory()
        var offset: Int64 = 0
        var records = 0
        var ingestError: IngestError?
        var storeError: StoreError?
        /// Runs before sums over banners are answered.
        var beforeTotals: (@Sendable () async throws(StoreError) -> Void)?
        var registrationError: RegistrationError?
        var readiness = Readiness.ready
        var readinessOfRoles: [ServerRole: Readiness] = [:]
        var roles = Set<ServerRole>.all
    }

    let state = Mutex(State())

    init(limit: Int = 1_000_000, onlyRegistered: Bool = false) {
        live = LiveHub(source: liveSource, limit: 3)
        state.withLock { $0.directory = BannerDirectory(limit: limit, onlyRegistered: onlyRegistered) }
    }

    static let log = LogID("test-log")!

    func set<Value: Sendable>(_ member: any WritableKeyPath<State, Value> & Sendable, _ value: Value) {
        state.withLock { $0[keyPath: member] = value }
    }

    func count(_ banner: Int64, _ kind: Kind = .click) -> Int64 {
        state.withLock { state in
            state.counts.filter { $0.key.banner.value == banner && $0.key.kind == kind }.values.reduce(0, +)
        }
    }

    /// How many calls recorded something.
    var records: Int { state.withLock { $0.records } }
    var isEmpty: Bool { state.withLock { $0.counts.isEmpty } }

    // MARK: Writing

    func admit(_ chunk: Chunk) throws(EventRejection) -> AdmittedChunk {
        for delta in chunk.deltas { try admit(delta.banner) }
        return AdmittedChunk(chunk: chunk, newcomers: Newcomers())
    }

    func admit(_ input: EventInput, to admitted: inout AdmittedEvents) throws(EventRejection) {
        let now = now
        let minute = Minute(input.time ?? now)
        let earliest = Minute(now).advanced(by: -7 * 1_440)
        let latest = Minute(now).advanced(by: 1)
        if minute < earliest, !admitted.backfill { throw .tooOld(earliest: earliest) }
        if minute > latest { throw .inFuture(latest: latest) }
        guard (1...Limits.eventCount).contains(input.count) else { throw .countOutOfRange(input.count) }
        if let id = input.id {
            if id.isEmpty { throw .idEmpty }
            if id.utf8.count > Limits.eventIDBytes { throw .idTooLong(bytes: id.utf8.count) }
        }
        try admit(input.banner)
        admitted.append(
            CountedEvent(
                banner: input.banner, kind: input.kind, minute: minute, count: input.count,
                id: input.id.map { EventID($0, banner: input.banner, kind: input.kind) }, invalid: input.invalid,
                visitor: input.visitor))
    }

    private func admit(_ banner: BannerID) throws(EventRejection) {
        let refusal: BannerDirectory.Refusal? = state.withLock { state in
            do throws(BannerDirectory.Refusal) {
                _ = try state.directory.admit(banner)
                return nil
            } catch { return error }
        }
        switch refusal {
        case .unknownBanner(let id): throw .unknownBanner(id)
        case .tooManyBanners(let limit): throw .tooManyBanners(limit: limit)
        default: break
        }
    }

    func record(_ admitted: AdmittedEvents) async throws(IngestError) -> [Receipt] { [try record(admitted.events)] }

    private func record(_ events: [CountedEvent]) throws(IngestError) -> Receipt {
        let result: Result<Receipt, IngestError> = state.withLock { state in
            if let error = state.ingestError { return .failure(error) }
            for event in events {
                state.directory.note(event.banner)
                if let sighting = event.sighting { state.sightings.append(sighting) }
                if let id = event.id, !state.eventIDs.insert(id).inserted { continue }
                for kind in event.countedKinds {
                    state.counts[RowKey(banner: event.banner, kind: kind, start: event.minute), default: 0] +=
                        event.count
                }
            }
            state.records += 1
            state.offset += 1
            return .success(Receipt(log: Self.log, offset: LogOffset(state.offset), durability: .memory))
        }
        return try result.get()
    }

    func append(_ admitted: AdmittedChunk) async throws(IngestError) -> ChunkReceipt {
        let chunk = admitted.chunk
        let isNew = state.withLock { $0.sequences[chunk.node, default: SequenceRanges()].insert(chunk.sequence) }
        let events = chunk.deltas + chunk.identified.map(\.delta)
        let receipt = try record(
            !isNew
                ? []
                : events.map {
                    CountedEvent(banner: $0.banner, kind: chunk.kinds[Int($0.kind)], minute: $0.minute, count: $0.count)
                })
        return ChunkReceipt(receipts: [receipt], duplicate: !isNew)
    }

    func sequences(of node: NodeID) -> SequenceRanges {
        state.withLock { $0.sequences[node] ?? SequenceRanges() }
    }

    // MARK: Reading

    func minuteCounts(in range: RowRange) async throws(StoreError) -> Counted<[MinuteCount]> {
        try failIfAsked()
        let counts = state.withLock { $0.counts }
            .filter { range.contains($0.key.banner, $0.key.kind) && range.minutes.contains($0.key.start) }
            .sorted { $0.key < $1.key }
            .map { MinuteCount(banner: $0.key.banner, kind: $0.key.kind, minute: $0.key.start, count: $0.value) }
        return Counted(counts, freshness)
    }

    private var freshness: Freshness {
        state.withLock { Freshness(watermark: $0.watermark, behind: $0.behind) }
    }

    func views(in range: RowRange) -> [LogView] {
        state.withLock { state in
            state.views.map { view in
                var view = view
                view.rows = view.rows.filter { range.overlaps($0.key, layout: layout) }
                return view
            }
        }
    }

    var layout: Layout { .minute }

    func forEachTotals(in range: RowRange, _ body: ([Total]) -> Void) async throws(StoreError) -> Freshness {
        let hook = state.withLock { $0.beforeTotals }
        try await hook?()
        var sums = TotalSums()
        for count in try await minuteCounts(in: range).value {
            sums.add(count.count, banner: count.banner, kind: count.kind, minutes: count.minute...count.minute)
        }
        // Some banners at a time, as the server does.
        for total in sums.totals.sorted(by: { ($0.banner, $0.kind) < ($1.banner, $1.kind) }).chunked(\.banner) {
            body(total)
        }
        return freshness
    }

    func visitors(of banners: Set<BannerID>, in days: ClosedRange<Day>) async throws(StoreError) -> [VisitorCount] {
        try failIfAsked()
        return VisitorCount.all(
            state.withLock { $0.sightings }.filter {
                banners.contains($0.place.banner) && days.contains($0.place.day)
            })
    }

    var watermark: Minute { state.withLock { $0.watermark } }
    var now: Timestamp { state.withLock { $0.now } }

    private func failIfAsked() throws(StoreError) {
        if let error = state.withLock({ $0.storeError }) { throw error }
    }

    // MARK: Banners

    func banner(_ id: BannerID) -> Banner? { state.withLock { $0.directory[id] } }

    func banners(after: BannerID?, limit: Int) -> [Banner] {
        state.withLock { $0.directory.banners(after: after, limit: limit) }
    }

    var bannerCount: Int { state.withLock { $0.directory.count } }

    func register(_ banner: Banner) async throws(RegistrationError) -> Banner {
        try change { directory throws(BannerDirectory.Refusal) in
            try directory.register(banner)
            return banner
        }
    }

    func register(names: [String]) async throws(RegistrationError) -> [Banner] {
        try change { directory throws(BannerDirectory.Refusal) in
            try names.map { (name) throws(BannerDirectory.Refusal) in try directory.register(name: name) }
        }
    }

    func unregister(_ id: BannerID) async throws(RegistrationError) -> Bool {
        try change { directory throws(BannerDirectory.Refusal) in try directory.unregister(id) }
    }

    private func change<Value: Sendable>(
        _ body: (inout BannerDirectory) throws(BannerDirectory.Refusal) -> Value
    ) throws(RegistrationError) -> Value {
        let result: Result<Value, RegistrationError> = state.withLock { state in
            if let error = state.registrationError { return .failure(error) }
            do throws(BannerDirectory.Refusal) {
                return .success(try body(&state.directory))
            } catch {
                switch error {
                case .nameTaken(let name, let owner): return .failure(.nameTaken(name, by: owner))
                case .tooManyBanners(let limit): return .failure(.tooManyBanners(limit: limit))
                case .tooMuchText(let limit): return .failure(.tooMuchText(limit: limit))
                case .idsExhausted: return .failure(.idsExhausted)
                case .storeAway: return .failure(.unavailable("the store is away"))
                case .unknownBanner(let id): return .failure(.unavailable("\(id)"))
                }
            }
        }
        return try result.get()
    }

    // MARK: Health and watching

    var readiness: Readiness { state.withLock { $0.readiness } }
    func readiness(of role: ServerRole) -> Readiness { state.withLock { $0.readinessOfRoles[role] ?? $0.readiness } }
    var roles: Set<ServerRole> { state.withLock { $0.roles } }

    var status: SystemStatus {
        state.withLock { state in
            var statistics = Aggregation.Statistics()
            statistics.counted = state.counts.values.reduce(0, +)
            statistics.unflushedChunks = state.offset
            return SystemStatus(
                log: Self.log.name, counted: LogOffset(state.offset), stored: LogOffset.none, logTime: state.now,
                logFailure: nil,
                statistics: statistics, refused: 0, store: StoreKeeper.Health())
        }
    }

    let liveSource = LiveChangesInMemory(log: log)
    let live: LiveHub
    var watching: LiveHub? { live }
}

extension Array {
    /// Neighbours with the same value together.
    fileprivate func chunked(_ value: KeyPath<Element, some Equatable>) -> [[Element]] {
        var chunks: [[Element]] = []
        for element in self {
            if let last = chunks.last?.last, last[keyPath: value] == element[keyPath: value] {
                chunks[chunks.count - 1].append(element)
            } else {
                chunks.append([element])
            }
        }
        return chunks
    }
}
