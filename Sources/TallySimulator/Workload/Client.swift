// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// Sends events, waits for the answer, and tries again when none comes. It knows nothing of what the auditor checks.
struct Client {
    enum Style {
        /// An event that was not answered is given up: it counts once or not at all.
        case givesUp
        /// Sends it again as a new event: it may count twice.
        case repeatsBlindly
        /// Sends it again with the same ids.
        case repeatsWithIDs
        /// Sends chunks of a file, each until it is counted.
        case imports
    }

    let index: Int
    let style: Style
    /// Tries again at another machine.
    let changesMachine: Bool
    let importNode: NodeID
    var machine: Int
    /// What it waits for.
    var request: Request?
    var tries = 0
    var eventNumber: UInt64 = 0
    /// The chunks of its file that were counted, in the order of their sequence.
    var imported: [Chunk] = []
    /// Of the last chunk of its file that it sent. One that is refused leaves a gap: its name must not become another's, since a
    /// copy of it that is still on its way may be counted.
    var importSequence: UInt64 = 0

    init(index: Int, _ swarm: Swarm, using random: inout SeededGenerator) {
        self.index = index
        let styles: [Style] = [.givesUp, .repeatsBlindly, .repeatsWithIDs, .repeatsWithIDs]
        let imports = !swarm.hasBrokers && random.chance(swarm.importPercent)
        style = imports ? .imports : styles[Int.random(in: 0..<styles.count, using: &random)]
        changesMachine = style != .imports && random.chance(30)
        importNode = NodeID(bits: UInt128(index + 1) << 64)
        machine = swarm.intakes.randomElement(using: &random) ?? 0
    }

    /// Whether it sends the same again when it was not answered.
    var repeats: Bool { style != .givesUp }
    /// Whether it goes on until it was answered, however long that takes.
    var insists: Bool { style == .repeatsWithIDs || style == .imports }

    mutating func newBody(at now: Timestamp, _ swarm: Swarm, using random: inout SeededGenerator) -> Request.Body {
        if style == .imports { return .chunk(nextChunk(at: now, swarm, using: &random)) }
        let isBackfill = random.chance(swarm.backfillPercent)
        let count = Int.random(in: 1...swarm.eventsPerRequest, using: &random)
        let events = (0..<count).map { _ in event(at: now, isBackfill: isBackfill, swarm, using: &random) }
        return .events(events, backfill: isBackfill)
    }

    private mutating func event(
        at now: Timestamp, isBackfill: Bool, _ swarm: Swarm, using random: inout SeededGenerator
    ) -> SentEvent {
        // Banners of backfills are others, so that final minutes can be told from minutes that may change.
        let banner = Int64.random(in: 1...swarm.banners, using: &random) + (isBackfill ? Auditor.backfilledBanners : 0)
        var id: EventID?
        if style == .repeatsWithIDs, random.chance(80) {
            eventNumber += 1
            // Now and then an id that was used before.
            let isRepeated = random.chance(10)
            let number = isRepeated ? UInt64.random(in: 1...eventNumber, using: &random) : eventNumber
            id = EventID(bits: UInt128(UInt64(index) << 56 | UInt64(banner) << 40 | number) &* 0x9E37_79B9_7F4A_7C15)
        }
        return SentEvent(
            banner: BannerID(banner)!, kind: kind(swarm, using: &random),
            time: time(at: now, isBackfill: isBackfill, swarm, using: &random),
            count: Int64.random(in: 1...3, using: &random), id: id)
    }

    private func time(
        at now: Timestamp, isBackfill: Bool, _ swarm: Swarm, using random: inout SeededGenerator
    ) -> Timestamp? {
        if isBackfill { return past(now, swarm, using: &random) }
        guard random.chance(swarm.timedPercent) else { return nil }
        // About the edges of what is accepted as often as within.
        let back = (Int(min(swarm.late, 30)) + 1) * 60
        let ahead = (Int(swarm.early) + 1) * 60
        return now.advanced(by: .seconds(Int.random(in: -back...ahead, using: &random)))
    }

    /// Anywhere in a day, and as often about the edge of what is kept by the minute.
    private func past(_ now: Timestamp, _ swarm: Swarm, using random: inout SeededGenerator) -> Timestamp {
        let edge = swarm.floor.flatMap { random.chance(50) ? Int($0) * 60 : nil }
        let back =
            edge.map { $0 + Int.random(in: -90...90, using: &random) } ?? Int.random(in: 0...100_000, using: &random)
        return now.advanced(by: .seconds(-back))
    }

    private func kind(_ swarm: Swarm, using random: inout SeededGenerator) -> Kind {
        Client.kinds[Int.random(in: 0..<swarm.kinds, using: &random)]
    }

    /// Sorted.
    static let kinds = [Kind.click, Kind.impression, Kind("view")!]

    /// The next chunk of its file; now and then one that was counted, as an import does that begins again.
    private mutating func nextChunk(at now: Timestamp, _ swarm: Swarm, using random: inout SeededGenerator) -> Chunk {
        if !imported.isEmpty, random.chance(15) {
            return imported[Int.random(in: 0..<imported.count, using: &random)]
        }
        var builder = ChunkBuilder()
        for _ in 0..<Int.random(in: 1...swarm.eventsPerRequest, using: &random) {
            let banner = Int64.random(in: 1...swarm.banners, using: &random) + Auditor.backfilledBanners
            _ = builder.add(
                CountedEvent(
                    banner: BannerID(banner)!, kind: kind(swarm, using: &random),
                    minute: Minute(past(now, swarm, using: &random)), count: 1))
        }
        importSequence += 1
        var chunk = builder.chunk(node: importNode, sequence: importSequence, time: now)
        // Some claim that the log has all that was sent before, which is not always true.
        if importSequence % 2 == 0 { chunk.unsettled = SequenceRanges() }
        return chunk
    }
}
