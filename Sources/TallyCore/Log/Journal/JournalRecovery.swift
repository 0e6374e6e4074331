// SPDX-License-Identifier: Apache-2.0

/// Decides, when a journal is opened, what was durable and what a crash left unfinished. It does no I/O: its owner does
/// what each action says and reports back.
///
///     scanning ──record bad or missing at offset s──► doubting ──end of files──► settling ──► finished
///         │                                              └──anything knows that s was durable──► refused
///         └──end of files──► settling ──► finished
///
/// Appending writes all records of a batch and then syncs them, and each record says which offset was durable when it was
/// written. So a record that is bad or missing at offset s was acknowledged exactly when something written later knows
/// s to be durable: that is damage, and is refused. When nothing does, a crash tore the batch it belongs to: it is cut
/// off, with all behind it, since nobody was told that it is there. A batch may have reached into new segments, so the
/// search goes through all files that follow.
package struct JournalRecovery {
    package enum Action: Equatable {
        /// Read the whole file and call `didRead`.
        case read(file: String)
        /// Overwrite with zeros, sync the file and call `didAct`.
        case zero(file: String, positions: Range<Int>)
        /// Remove the file, sync the directory and call `didAct`.
        case remove(file: String)
        /// Write again what stands there and call `didAct`: if its sync failed, the operating system may show it and yet
        /// not hold it for one that is to be written, and the sync that follows would pass it by.
        case rewrite(file: String, positions: Range<Int>)
        /// Sync these files and the directory and call `didAct`: a process that died may not have come to it.
        case sync(files: [String])
        case finished
        case refuse(JournalError)
    }

    /// A record that is bad or missing.
    struct Doubt: Equatable {
        let file: Int
        let position: Int
        let offset: LogOffset
        let what: String
        var filledEnd: Int
    }

    private enum Phase {
        case scanning
        case doubting(Doubt)
        case settling([Action])
        case ended(Action)
    }

    private let place: JournalPlace
    private let names: [String]
    private let unfinished: [String]
    private var phase = Phase.scanning
    private var current = 0
    private var format: RecordFormat?

    /// The identity; nil when there is no segment.
    private(set) var identity: NodeID?
    private(set) var segments: [Segment] = []
    /// The sequence of the own node's last chunk; 0 when there is none.
    private(set) var lastSequence: UInt64 = 0
    /// What was cut off, or is about to be.
    private(set) var doubt: Doubt?
    /// What the last record knew to be durable.
    private var synced: LogOffset?
    /// Where the records of the last batch stand: of all others a later one says that they are durable.
    private var lastBatch: [(file: String, positions: Range<Int>)] = []

    /// - Parameter files: the names in the directory; those that are none of a journal's are left alone.
    package init(files: [String], place: JournalPlace) {
        self.place = place
        names = SegmentName.segments(in: files)
        unfinished = SegmentName.unfinished(in: files)
    }

    package mutating func start() -> Action { next() }

    /// The file of the last `read` action.
    package mutating func didRead(_ bytes: [UInt8]) -> Action {
        do throws(JournalError) {
            let header = try header(of: bytes)
            switch phase {
            case .scanning: try scan(bytes, header)
            case .doubting(let doubt): try search(bytes, header, for: doubt)
            case .settling, .ended: preconditionFailure("nothing was to be read")
            }
        } catch {
            return end(.refuse(error))
        }
        current += 1
        return next()
    }

    /// The last action that was not `read` is done.
    package mutating func didAct() -> Action { next() }

    private mutating func next() -> Action {
        switch phase {
        case .scanning, .doubting:
            if current < names.count { return .read(file: names[current]) }
            phase = .settling(settlingActions())
            return next()
        case .settling(var actions):
            if actions.isEmpty { return end(.finished) }
            let action = actions.removeFirst()
            phase = .settling(actions)
            return action
        case .ended(let action): return action
        }
    }

    private mutating func end(_ action: Action) -> Action {
        phase = .ended(action)
        return action
    }

    private mutating func header(of bytes: [UInt8]) throws(JournalError) -> SegmentHeader {
        let name = names[current]
        let header: SegmentHeader
        do throws(SegmentHeaderError) {
            header = try SegmentHeader(decoding: bytes[...])
        } catch .unknownVersion(let version) {
            let what = SegmentHeaderError.unknownVersion(version)
            throw .newer("journal/\(name) was written by a newer tally: \(what). Use that tally")
        } catch {
            throw damage(at: 0, SegmentName.first(of: name), error.description)
        }
        if let identity, identity != header.identity {
            throw damage(at: 16, header.first, "it belongs to journal \(header.identity), the others to \(identity)")
        }
        if header.size != bytes.count {
            throw damage(at: bytes.count, nil, "the file has \(bytes.count) bytes, its header says \(header.size)")
        }
        if SegmentName.name(first: header.first) != name {
            throw damage(at: 40, header.first, "its header says that it begins at offset \(header.first)")
        }
        identity = header.identity
        return header
    }

    private mutating func scan(_ bytes: [UInt8], _ header: SegmentHeader) throws(JournalError) {
        let format = format ?? RecordFormat(identity: header.identity)
        self.format = format
        if let previous = segments.last, header.first != previous.last.next {
            try require(header, beginsBehind: previous.last)
            let doubt = Doubt(
                file: current - 1, position: previous.end, offset: previous.last.next,
                what: "its last record is \(previous.last), and the next file begins at \(header.first)",
                filledEnd: previous.end)
            phase = .doubting(doubt)
            return try search(bytes, header, for: doubt)
        }
        let scan = SegmentScan(bytes, header: header, format: format, synced: synced)
        segments.append(scan.segment)
        lastSequence = max(lastSequence, scan.lastSequence)
        synced = scan.synced
        if scan.lastBatch != nil { lastBatch = [] }
        let batch = (scan.lastBatch ?? SegmentHeader.byteCount)..<scan.segment.end
        if !batch.isEmpty { lastBatch.append((names[current], batch)) }
        let offset = scan.segment.last.next
        switch scan.finish {
        case .clean: return
        case .unreadable(.unknownVersion(let version)):
            let what = ChunkDecodingError.unknownVersion(version)
            throw .newer("journal/\(names[current]) holds, at offset \(offset), \(what)")
        case .unreadable(let error): throw damage(at: scan.segment.end, offset, error.description)
        case .flawed(let flaw):
            let doubt = Doubt(
                file: current, position: scan.segment.end, offset: offset, what: flaw.description,
                filledEnd: scan.filledEnd)
            phase = .doubting(doubt)
            try searchRecords(bytes, from: scan.segment.end, for: doubt)
        }
    }

    /// Looks in a later file for anything that knows the doubtful record to have been durable.
    private func search(_ bytes: [UInt8], _ header: SegmentHeader, for doubt: Doubt) throws(JournalError) {
        if header.first == doubt.offset {
            let what = "\(doubt.what), though \(names[current]) goes on where it ended"
            throw .damaged(place.damage(names[doubt.file], at: doubt.position, offset: nil, what))
        }
        try require(header, beginsBehind: doubt.offset)
        if header.synced >= doubt.offset { throw acknowledged(doubt, by: "the header of \(names[current])") }
        try searchRecords(bytes, from: SegmentHeader.byteCount, for: doubt)
    }

    private func searchRecords(_ bytes: [UInt8], from position: Int, for doubt: Doubt) throws(JournalError) {
        let witness = bytes.withUnsafeBytes { buffer in
            format?.nextRecord(from: position, in: buffer, minimumSynced: doubt.offset)
        }
        guard let witness else { return }
        throw acknowledged(doubt, by: "the record at byte \(witness.position) of \(names[current])")
    }

    private func require(_ header: SegmentHeader, beginsBehind last: LogOffset) throws(JournalError) {
        guard header.first <= last else { return }
        throw damage(at: 40, header.first, "it begins at offset \(header.first), which the file before it holds too")
    }

    private func acknowledged(_ doubt: Doubt, by witness: String) -> JournalError {
        let what = "\(doubt.what); \(witness) shows that offset \(doubt.offset) was acknowledged"
        return .damaged(place.damage(names[doubt.file], at: doubt.position, offset: doubt.offset, what))
    }

    private func damage(at position: Int, _ offset: LogOffset?, _ what: String) -> JournalError {
        .damaged(place.damage(names[current], at: position, offset: offset, what))
    }

    private mutating func settlingActions() -> [Action] {
        var actions = unfinished.map { Action.remove(file: $0) }
        var kept = names
        if case .doubting(let doubt) = phase {
            self.doubt = doubt
            if doubt.filledEnd > doubt.position {
                actions.append(.zero(file: names[doubt.file], positions: doubt.position..<doubt.filledEnd))
            }
            kept = Array(names[...doubt.file])
            actions += names[(doubt.file + 1)...].reversed().map { Action.remove(file: $0) }
        }
        actions += lastBatch.map { Action.rewrite(file: $0.file, positions: $0.positions) }
        if !kept.isEmpty { actions.append(.sync(files: kept)) }
        return actions
    }
}
