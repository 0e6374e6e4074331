// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// The auditor's books of one log: what was sent to it, what became of that, and what the log really holds.
struct LogAccount {
    /// What was counted where, for events without an id: acknowledged, and not yet (or never) answered.
    struct Ledger {
        var acknowledged: Int64 = 0
        var open: Int64 = 0
        var logged: Int64 = 0

        /// Everything acknowledged is in the log, and nothing that was not sent.
        var isBalanced: Bool { acknowledged <= logged && logged <= acknowledged + open }
    }

    struct Counter: Hashable {
        let banner: BannerID
        let kind: Kind
        let minute: Minute
    }

    let log: LogID
    /// Of the server whose journal this is; none where many servers write.
    let node: NodeID?
    let machine: Int?
    let late: Int64
    let floor: Int64?
    /// The log, from offset 1 on: what was trimmed is still here.
    private(set) var chunks: [Chunk] = []
    private(set) var reference: ReferenceCount
    /// The first offset of each append.
    private var batches: [Int64] = []
    /// What may be in the log without anybody having been told.
    var offered: [Chunk] = []
    var ledgers: [Counter: Ledger] = [:]
    /// The events that were sent with an id.
    var identified: [EventID: [CountedEvent]] = [:]
    private var heldIDs: Set<EventID> = []
    /// The visitors that were sent.
    var visitors: Set<Sighting> = []
    /// The highest rank that is durable, of each place.
    private(set) var sightings: [Sighting.Place: UInt8] = [:]
    /// The offset up to which the store was seen to have the sightings.
    var storedSightings: Int64 = 0
    /// Every chunk up to it is covered by an answer.
    var acknowledged: Int64 = 0
    /// The position in the reference's changes up to which the store was seen to have them.
    var storedChanges = 0
    /// The books are closed: the journal was damaged, shown to be so, and moved away; the brokers have lost a chunk, and a reader that
    /// lacks it or its event ids has written; or they have dropped chunks of the window of event ids.
    var isRetired = false
    private var lastSequence: UInt64 = 0

    init(log: LogID, node: NodeID?, machine: Int?, _ swarm: Swarm) {
        self.log = log
        self.node = node
        self.machine = machine
        late = swarm.late
        floor = swarm.floor
        reference = ReferenceCount(layout: swarm.layout, window: swarm.window, windowLimit: swarm.windowLimit)
    }

    var end: Int64 { Int64(chunks.count) }

    func chunk(at offset: LogOffset) -> Chunk? {
        offset.value >= 1 && offset.value <= end ? chunks[Int(offset.value - 1)] : nil
    }

    func isHeld(_ id: EventID) -> Bool { heldIDs.contains(id) }

    func holds(_ sighting: Sighting?) -> Bool {
        sighting.map { sightings[$0.place] ?? 0 >= $0.rank } ?? true
    }

    mutating func beginBatch() { batches.append(end + 1) }

    /// Where the last of so many appends began.
    func beginning(ofLast count: Int) -> Int64 { count == 0 ? end + 1 : batches.suffix(count).first ?? 1 }

    /// Takes in the next chunk of a journal.
    /// - Parameter imported: what the clients sent as chunks.
    /// - Returns: what is wrong with it.
    mutating func add(_ chunk: Chunk, imported: [ChunkName: Chunk]) -> String? {
        let final = EventWindow.watermark(logTime: reference.time, late: late)
        append(chunk)
        if let flaw = flawBelowTheFloor(chunk) { return flaw }
        guard chunk.node == node else { return flaw(inImported: chunk, imported) }
        guard chunk.sequence == lastSequence + 1 else { return "sequence \(chunk.sequence) follows \(lastSequence)" }
        lastSequence = chunk.sequence
        for delta in chunk.deltas + chunk.identified.map(\.delta) {
            if let flaw = flaw(in: delta, final) { return flaw }
        }
        return hold(chunk)
    }

    /// Takes in the next chunk of a log that many servers write.
    mutating func append(_ chunk: Chunk) {
        chunks.append(chunk)
        reference.add(chunk, at: end)
    }

    /// A chunk is durable, for the first time: in the log, or in a spool.
    /// - Returns: what is wrong with it.
    mutating func hold(_ chunk: Chunk) -> String? {
        for delta in chunk.deltas {
            let counter = Counter(banner: delta.banner, kind: chunk.kinds[Int(delta.kind)], minute: delta.minute)
            ledgers[counter, default: Ledger()].logged += delta.count
            if ledgers[counter]?.isBalanced == false { return "more of \(counter) than was sent" }
        }
        for event in chunk.identified {
            heldIDs.insert(event.id)
            guard wasSent(event, as: chunk.kinds[Int(event.delta.kind)]) else {
                return "an event with an id that nobody sent"
            }
        }
        for sighting in chunk.sightings {
            guard visitors.contains(sighting) else { return "a visitor that nobody sent" }
            sightings[sighting.place] = max(sightings[sighting.place] ?? 0, sighting.rank)
        }
        return reference.flawInInvalid(of: chunk)
    }

    private func wasSent(_ event: IdentifiedDelta, as kind: Kind) -> Bool {
        identified[event.id]?.contains { sent in
            sent.banner == event.delta.banner && sent.countedKinds.contains(kind) && sent.minute == event.delta.minute
                && sent.count == event.delta.count
        } ?? false
    }

    private func flaw(in delta: Delta, _ final: Minute) -> String? {
        guard delta.banner.value < Auditor.backfilledBanners, delta.minute < final else { return nil }
        return "an event of minute \(delta.minute.sinceEpoch), which was final, as was all before \(final.sinceEpoch)"
    }

    /// What lies before the floor may have become coarser in the store. The log's time is with this chunk already.
    private func flawBelowTheFloor(_ chunk: Chunk) -> String? {
        guard let floor else { return nil }
        let first = EventWindow.watermark(logTime: reference.time, late: floor)
        guard chunk.earliestMinute < first else { return nil }
        return
            "a chunk with minute \(chunk.earliestMinute.sinceEpoch), before \(first.sinceEpoch), which is kept by the minute"
    }

    private func flaw(inImported chunk: Chunk, _ imported: [ChunkName: Chunk]) -> String? {
        guard var sent = imported[ChunkName(chunk)] else {
            return "a chunk that nobody sent"
        }
        sent.time = chunk.time
        // Whatever a client claims of its sequences, the log holds nothing of it.
        sent.unsettled = nil
        return sent == chunk ? nil : "another chunk than the one that was sent"
    }
}
