// SPDX-License-Identifier: Apache-2.0

/// Makes rows of a log. It reads each chunk once, in order, and does no I/O: whoever owns it feeds it the log, loads the
/// rows it asks for, and writes its flushes to the store.
///
/// **The one rule**: a row is the sum of the log up to an offset. What this does depends on the log alone; when it flushes
/// and what it holds in memory changes when rows are written, never what they say.
///
/// All rows that begin at `completeFrom` or later are in memory if they exist at all. An older row that isn't is
/// *unresolved*: what is added to it is kept beside it, by offset, until its stored sum is known.
package struct Aggregator: Sendable {
    package struct Configuration: Sendable {
        /// How long an event id is known, in log time.
        package var window: Duration
        /// How many event ids are known at most.
        package var windowLimit: Int
        /// How many minutes behind the log's time an event may lie. Ingest decides by it; here it is kept with the sums.
        package var lateMinutes: Int64
        /// Makes the places in hash tables unpredictable; it has no other effect.
        package var seed: UInt64
        /// Whether a hole in a server's sequences behind skipped offsets is a confirmed loss, as in a journal that was repaired.
        package var explainsSkippedOffsets = false

        package init(
            window: Duration = .seconds(3_600), windowLimit: Int = 5_000_000, lateMinutes: Int64 = 7 * 24 * 60,
            seed: UInt64 = 0
        ) {
            self.window = window
            self.windowLimit = windowLimit
            self.lateMinutes = lateMinutes
            self.seed = seed
        }

        package var settings: CountingSettings {
            CountingSettings(
                windowMilliseconds: Int64(window / .milliseconds(1)), windowLimit: windowLimit,
                lateMinutes: lateMinutes)
        }
    }

    /// What a chunk did.
    package struct Applied: Equatable, Sendable {
        /// The sum of what was counted.
        package var counted: Int64 = 0
        /// What of it was invalid.
        package var invalid = InvalidSums()
        /// Events that were left out since their id was known.
        package var duplicateEvents = 0
        /// The whole chunk was left out, since its node and sequence were counted before.
        package var isDuplicateChunk = false
        /// The banners of rows that came into memory; a banner may appear more than once.
        package var banners: [BannerID] = []
        /// What was counted in the latest minutes, over all banners, if that was asked for; each kind and minute once.
        package var minutes: [MinuteAddition] = []
    }

    package let layout: Layout
    /// The last chunk that was read.
    package private(set) var position: LogOffset
    /// The highest time of any chunk so far.
    package private(set) var time: Timestamp
    package internal(set) var checkpoint: Checkpoint

    /// Up to here everything was stored when this began.
    let storedAtStart: LogOffset
    var rows: RowTable
    var watched = WatchedRows()
    var kinds: KindTable
    var seen: SeenEvents
    var ledger: SequenceLedger
    var lastMinute: Minute?
    /// In minutes since the epoch; one past the last minute of time when nothing is complete.
    var completeFrom: Int64
    /// For each unresolved row, by its index.
    var additions: [Int: [UnflushedRow.Addition]] = [:]
    /// Unresolved rows that nobody has been asked to load yet.
    var toLoad: ArraySlice<RowKey> = []
    var heldSightings = HeldSightings()

    /// - Parameters:
    ///   - checkpoint: the store's, or `.start`. Feed the log from its `readFrom`.
    ///   - configuration: with the settings of the checkpoint, if it has any; see `Replay`.
    package init(layout: Layout, checkpoint: Checkpoint, configuration: Configuration = Configuration()) {
        self.layout = layout
        self.checkpoint = checkpoint
        self.checkpoint.settings = configuration.settings
        self.position = LogOffset(checkpoint.readFrom.value - 1)
        self.time = checkpoint.timeBefore
        self.rows = RowTable(layout: layout, seed: configuration.seed)
        self.kinds = KindTable(checkpoint.kinds)
        self.storedAtStart = checkpoint.upTo
        self.seen = SeenEvents(window: configuration.window, limit: configuration.windowLimit)
        self.ledger = SequenceLedger(
            counted: checkpoint.sequences, confirmed: checkpoint.confirmedMissing,
            explainsSkippedOffsets: configuration.explainsSkippedOffsets)
        self.lastMinute = checkpoint.lastMinute
        self.completeFrom =
            checkpoint.lastMinute.map { Int64(layout.rowStart(of: $0).sinceEpoch) + Int64(layout.minutesPerRow) } ?? 0
    }

    /// The kinds that were counted, in the order of their first event.
    package var knownKinds: [Kind] { kinds.kinds }
    /// Rows in memory, whether or not they are in the store too.
    package var rowCount: Int { rows.count }
    /// Event ids that are known.
    package var seenCount: Int { seen.count }
    /// Of visitors, that the store may lack.
    package var sightingCount: Int { heldSightings.count }

    /// Which chunks of a node were counted.
    package func sequences(of node: NodeID) -> SequenceRanges { ledger.counted[node] ?? SequenceRanges() }

    /// The chunks of servers that the log lacks though it should have them, by node. While there are any, what was counted must not be
    /// stored: a reader that has read them would store other sums of the same offsets.
    package var missing: [NodeID: SequenceRanges] { ledger.missing }

    /// An operator has confirmed that these chunks are lost.
    package mutating func confirm(_ lost: [NodeID: SequenceRanges]) { ledger.confirm(lost) }

    /// Reads the next chunk. One that was read before is left out.
    /// - Parameter sumsMinutes: whether to tell what it added to the latest minutes.
    package mutating func apply(_ entry: LogEntry, sumsMinutes: Bool = false) -> Applied {
        guard entry.offset > position else { return Applied() }
        let skipsOffsets = entry.offset > position.next
        position = entry.offset
        let timeBefore = time
        time = max(time, entry.chunk.time)
        seen.advance(to: time)

        let isNew = noteIDs(of: entry, timeBefore: timeBefore)
        // Up to the checkpoint everything is in the store; it is read again for the sake of the ids.
        if entry.offset <= checkpoint.upTo { return Applied() }
        guard ledger.add(entry.chunk, skipsOffsets: skipsOffsets) else { return Applied(isDuplicateChunk: true) }
        return count(entry, isNew: isNew, sumsMinutes: sumsMinutes)
    }

    /// - Returns: for each identified event of the chunk whether it counts.
    private mutating func noteIDs(of entry: LogEntry, timeBefore: Timestamp) -> [Bool] {
        let identified = entry.chunk.identified
        if identified.isEmpty { return [] }
        let isInvalid = entry.chunk.kinds.map { $0.reason != nil }
        // Whether an invalid event counts as such, the event before it decides, which it is: a second look at its id alone
        // would find that it was just seen, and a repetition that is judged otherwise must not count as invalid what was valid.
        let events = identified.indices.filter { !isInvalid[Int(identified[$0].delta.kind)] }
        var isNew = [Bool](repeating: false, count: identified.count)
        seen.insert(events.map { identified[$0].id }, at: entry.offset, time: time, timeBefore: timeBefore) {
            isNew[events[$0]] = $1
        }
        for place in identified.indices.dropFirst() where isInvalid[Int(identified[place].delta.kind)] {
            isNew[place] = isNew[place - 1] && identified[place - 1].id == identified[place].id
        }
        return isNew
    }

    private mutating func count(_ entry: LogEntry, isNew: [Bool], sumsMinutes: Bool) -> Applied {
        var applied = Applied()
        let kindIndices = entry.chunk.kinds.map { kinds.insert($0) }
        let deltas = entry.chunk.deltas
        var place = 0
        while place < deltas.count {
            let kind = kindIndices[Int(deltas[place].kind)]
            place = addUsual(deltas, from: place, kind: kind, offset: entry.offset, to: &applied)
            guard place < deltas.count else { break }
            add(deltas[place], kind: kindIndices[Int(deltas[place].kind)], offset: entry.offset, to: &applied)
            place += 1
        }
        for (identified, isNew) in zip(entry.chunk.identified, isNew) {
            if isNew {
                add(identified.delta, kind: kindIndices[Int(identified.delta.kind)], offset: entry.offset, to: &applied)
            } else if kinds.reason(kindIndices[Int(identified.delta.kind)]) == nil {
                applied.duplicateEvents += 1
            }
        }
        for sighting in entry.chunk.sightings { heldSightings.note(sighting) }
        if sumsMinutes { applied.minutes = minuteAdditions(of: entry.chunk, isNew: isNew, kinds: kindIndices) }
        return applied
    }

    /// Adds the deltas from this place on, as far as they are of one kind and minute and their rows are in memory with
    /// nothing in doubt: nearly all are.
    /// - Returns: the place of the first that was not added.
    private mutating func addUsual(
        _ deltas: [Delta], from place: Int, kind: UInt16, offset: LogOffset, to applied: inout Applied
    ) -> Int {
        let minute = deltas[place].minute
        let start = layout.rowStart(of: minute)
        let added = rows.add(
            deltas[place...], start: start.sinceEpoch, kind: kind, minute: Int(minute.sinceEpoch - start.sinceEpoch),
            upTo: offset.value)
        if added.count == 0 { return place }
        note(added.sum, kind: kind, in: &applied)
        lastMinute = max(lastMinute ?? minute, minute)
        return place + added.count
    }

    private mutating func add(_ delta: Delta, kind: UInt16, offset: LogOffset, to applied: inout Applied) {
        let start = layout.rowStart(of: delta.minute)
        let minute = Int(delta.minute.sinceEpoch - start.sinceEpoch)
        let key = RowTable.Key(banner: delta.banner.value, start: start.sinceEpoch, kind: kind)
        let (index, isNew) = rows.findOrInsert(key)
        if isNew {
            applied.banners.append(delta.banner)
            watched.note(delta.banner.value, at: index)
            begin(row: index, start: start)
        }
        note(delta.count, kind: kind, in: &applied)
        lastMinute = max(lastMinute ?? delta.minute, delta.minute)

        let entry = rows.entries[index]
        if entry.flags.contains(.unresolved) {
            let addition = UnflushedRow.Addition(offset: offset, minute: minute, count: delta.count)
            additions[index, default: []].append(addition)
        } else if entry.upTo < offset.value || !entry.flags.contains(.loaded) {
            rows.add(delta.count, toRow: index, minute: minute, upTo: offset.value)
        }
        // Otherwise the loaded row includes this chunk: it was flushed before a crash, or by another reader of the log.
    }

    private func note(_ count: Int64, kind: UInt16, in applied: inout Applied) {
        if let reason = kinds.reason(kind) {
            applied.invalid[reason] = applied.invalid[reason].addingSaturated(count)
        } else {
            applied.counted = applied.counted.addingSaturated(count)
        }
    }

    private mutating func begin(row index: Int, start: Minute) {
        guard Int64(start.sinceEpoch) < completeFrom else { return }
        rows.setFlags(.unresolved, ofRow: index)
        toLoad.append(rowKey(of: rows.entries[index].key))
    }

    func rowKey(of key: RowTable.Key) -> RowKey {
        guard let banner = BannerID(key.banner), let start = Minute(sinceEpoch: Int64(key.start)) else {
            preconditionFailure("keys in memory come from valid deltas")
        }
        return RowKey(banner: banner, kind: kinds[key.kind], start: start)
    }

    func tableKey(of key: RowKey) -> RowTable.Key? {
        kinds.index(of: key.kind).map { kind in
            RowTable.Key(banner: key.banner.value, start: key.start.sinceEpoch, kind: kind)
        }
    }
}
