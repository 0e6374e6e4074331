// SPDX-License-Identifier: Apache-2.0

/// The log on a disk: files of fixed size, written one behind the other. `docs/journal-format.md` describes them.
///
/// All calls block, and are never made concurrently; `JournalLog` gives them a thread. What it does depends on the disk
/// and the calls alone.
package final class Journal {
    package let identity: NodeID
    /// The sequence of the last chunk that this journal's own node has in it; 0 when there is none.
    package private(set) var lastSequence: UInt64

    let disk: any Disk
    let files: JournalFiles
    let place: JournalPlace
    let format: RecordFormat
    private let settings: JournalSettings
    /// By offset, never empty; the last one is appended to.
    private(set) var segments: [Segment]
    /// Of the newest segment, as `AppendPlan.Part` has it.
    private var writtenTo: Int
    /// Why nothing more is appended.
    private var failure: String?
    /// Where the last reading stopped.
    var cursor: JournalCursor?

    /// Recovers the journal in this directory, or makes one when there is none.
    ///
    /// - Parameters:
    ///   - newIdentity: becomes the identity if a journal is made; it must never have been used before.
    ///   - progress: is told how many bytes of the journal were read, of how many.
    /// - Throws: `.damaged` when something that was acknowledged can't be read; then nothing was changed.
    package static func open(
        on disk: any Disk, place: JournalPlace, settings: JournalSettings, newIdentity: NodeID,
        progress: (Int, Int) -> Void = { _, _ in }
    ) throws(JournalError) -> Journal {
        let files = JournalFiles(disk: disk)
        let recovery = try files.recover(place: place, progress: progress)
        if let identity = recovery.identity {
            return Journal(
                identity: identity, lastSequence: recovery.lastSequence, files: files, place: place, settings: settings,
                segments: recovery.segments)
        }
        let header = SegmentHeader(
            identity: newIdentity, size: settings.segmentBytes, first: LogOffset(1), lost: 0, synced: .none,
            lastSequence: 0)
        do throws(DiskError) {
            try files.prepare(header)
            try files.publish(header)
            try disk.syncDirectory()
        } catch {
            throw JournalError(error)
        }
        return Journal(
            identity: newIdentity, lastSequence: 0, files: files, place: place, settings: settings,
            segments: [Segment(header)])
    }

    private init(
        identity: NodeID, lastSequence: UInt64, files: JournalFiles, place: JournalPlace, settings: JournalSettings,
        segments: [Segment]
    ) {
        self.identity = identity
        self.lastSequence = lastSequence
        self.disk = files.disk
        self.files = files
        self.place = place
        self.format = RecordFormat(identity: identity)
        self.settings = settings
        self.segments = segments
        self.writtenTo = segments[segments.count - 1].end
    }

    package var id: LogID { LogID(journal: identity) }

    /// Every offset up to this one was given out, or is lost; the next chunk gets the next one. A store whose checkpoint
    /// is beyond it has seen chunks that this journal doesn't hold: it must not be used with that store.
    package var lastOffset: LogOffset { newest.last }

    /// What is before it was trimmed.
    package var firstOffset: LogOffset { segments[0].first }

    private var newest: Segment { segments[segments.count - 1] }

    /// As `EventLog.append` says. A chunk larger than `Limits.chunkBytes` is refused.
    package func append(_ chunks: [Chunk]) throws(LogError) -> [LogOffset] {
        try requireSound()
        guard let first = chunks.first else { return [] }
        if !newest.holdsRecords { try makeRoom(for: first) }
        let plan = try AppendPlan(
            chunks, newest: newest, writtenTo: writtenTo, identity: identity, lastSequence: lastSequence,
            segmentBytes: settings.segmentBytes, format: format)
        try makeSegments(of: plan)
        try write(plan)
        for part in plan.parts {
            if part.header == nil { segments.removeLast() }
            segments.append(part.segment)
            writtenTo = part.writtenTo
        }
        lastSequence = plan.lastSequence
        return plan.offsets
    }

    /// A segment without records gives way to a larger one when not even its first chunk fits: both have the same name.
    private func makeRoom(for chunk: Chunk) throws(LogError) {
        let old = newest
        let payload = chunk.encoded().count
        let size = SegmentHeader.byteCount + RecordFormat.byteCount(payload: payload)
        if size <= old.size || payload > Limits.chunkBytes { return }
        let header = SegmentHeader(
            identity: identity, size: max(settings.segmentBytes, size), first: old.first,
            lost: old.lastBeforeRecords.value - old.first.value + 1, synced: old.last, lastSequence: lastSequence)
        do throws(DiskError) { try files.prepare(header) } catch { throw Journal.refusal(error) }
        do throws(DiskError) {
            try files.publish(header)
            try disk.syncDirectory()
        } catch {
            throw fail(error)
        }
        segments[segments.count - 1] = Segment(header)
        writtenTo = SegmentHeader.byteCount
    }

    /// All segments that the plan needs are there, empty, before any record is written: running out of space is then
    /// found out while nothing has happened yet.
    private func makeSegments(of plan: AppendPlan) throws(LogError) {
        let headers = plan.parts.compactMap(\.header)
        if headers.isEmpty { return }
        var made: [SegmentHeader] = []
        for header in headers {
            do throws(DiskError) {
                try files.prepare(header)
            } catch {
                try remove(made)
                throw Journal.refusal(error)
            }
            do throws(DiskError) { try files.publish(header) } catch { throw fail(error) }
            made.append(header)
        }
        do throws(DiskError) { try disk.syncDirectory() } catch { throw fail(error) }
    }

    /// A segment that could not be made has no name yet, and the journal is as before: there may be room, or a free file
    /// descriptor, later.
    private static func refusal(_ error: DiskError) -> LogError {
        if case .full(let reason) = error { return .refused("the disk is full: \(reason)") }
        return .refused("the journal can't get a new segment: \(error)")
    }

    private func write(_ plan: AppendPlan) throws(LogError) {
        do throws(DiskError) {
            for part in plan.parts { try disk.write(part.bytes, to: part.segment.name, at: part.position) }
        } catch .full(let reason) {
            try withdraw(plan)
            throw .refused("the disk is full: \(reason)")
        } catch {
            throw fail(error)
        }
        do throws(DiskError) {
            for part in plan.parts { try disk.sync(part.segment.name) }
        } catch {
            throw fail(error)
        }
    }

    /// Takes back what was written of a plan, durably: what was refused must not come back after a crash.
    private func withdraw(_ plan: AppendPlan) throws(LogError) {
        try remove(plan.parts.compactMap(\.header))
        guard let part = plan.parts.first, part.header == nil else { return }
        do throws(DiskError) {
            try files.zero(part.segment.name, part.position..<part.position + part.bytes.count)
        } catch {
            throw fail(error)
        }
    }

    private func remove(_ headers: [SegmentHeader]) throws(LogError) {
        if headers.isEmpty { return }
        do throws(DiskError) {
            for header in headers.reversed() { try disk.remove(SegmentName.name(first: header.first)) }
            try disk.syncDirectory()
        } catch {
            throw fail(error)
        }
    }

    /// Removes the segments all of whose offsets are below `offset`, but never the newest.
    /// - Throws: `.unavailable` when one could not be removed; the next call tries again.
    package func trim(before offset: LogOffset) throws(LogError) {
        try requireSound()
        while segments.count > 1, segments[1].first <= offset {
            do throws(DiskError) {
                try disk.remove(segments[0].name)
            } catch .missing {
                // Somebody has removed it already.
            } catch {
                throw .unavailable("a segment that nobody needs any more could not be removed: \(error)")
            }
            // Each removal is durable before the next: a crash must not leave a hole.
            do throws(DiskError) { try disk.syncDirectory() } catch { throw fail(error) }
            segments.removeFirst()
        }
    }

    private func requireSound() throws(LogError) {
        if let failure { throw .failed(failure) }
    }

    /// After an error whose effect on the disk is unknown nothing is tried again: pages that could not be written may
    /// have been marked clean, and a second sync would succeed without them.
    private func fail(_ error: DiskError) -> LogError {
        let reason =
            "the journal stopped, since the state of its disk is unknown: \(error). Restart when the disk is sound"
        failure = reason
        return .failed(reason)
    }
}
