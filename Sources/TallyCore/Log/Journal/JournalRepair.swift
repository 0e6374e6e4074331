// SPDX-License-Identifier: Apache-2.0

/// What a repair did.
package struct JournalRepairReport: Equatable, Sendable {
    /// Whole records in the files that were rewritten.
    package var saved = 0
    /// What can't be read any more. Chunks at or below the store's checkpoint were counted already; the others are gone.
    package var lost: [ClosedRange<LogOffset>] = []
    /// Offsets given up since nobody can say whether they were used: the next chunk stands behind them.
    package var skipped: ClosedRange<LogOffset>?
    /// Copies of the files that were rewritten, byte for byte.
    package var copies: [String] = []
    /// The next chunk gets the offset behind this one.
    package var lastOffset = LogOffset.none

    /// Nothing was wrong.
    package var changedNothing: Bool { copies.isEmpty && lost.isEmpty && skipped == nil }
}

/// Makes a damaged journal usable again, keeping every whole record and every offset.
///
/// The journal keeps its identity: what the store has of it stays right, since each row says up to which offset it counts
/// (under a new identity everything behind the checkpoint that was flushed already would count twice). For the same
/// reason no offset and no sequence is ever given out a second time: what is lost stays empty, and the header of the
/// segment that covers it says so.
///
/// A crash at any moment leaves a journal that can be repaired again: the copies come first, and a damaged file is
/// replaced last, by one rename, when all that was in it stands elsewhere too.
package struct JournalRepair {
    private let disk: any Disk
    private let files: JournalFiles
    private let place: JournalPlace
    private let settings: JournalSettings
    private let checkpoint: LogOffset
    private let checkpointSequence: UInt64
    private let knownIdentity: NodeID?

    /// - Parameters:
    ///   - checkpoint: the offset up to which the store has this log; new chunks come behind it.
    ///   - checkpointSequence: the highest sequence of the journal's own node that the store knows.
    ///   - identity: the journal's; may be nil as long as a header can be read, or there is no segment. See
    ///     `JournalIdentity` for where it comes from otherwise.
    package init(
        disk: any Disk, place: JournalPlace, settings: JournalSettings, checkpoint: LogOffset,
        checkpointSequence: UInt64, identity: NodeID? = nil
    ) {
        self.disk = disk
        self.files = JournalFiles(disk: disk)
        self.place = place
        self.settings = settings
        self.checkpoint = checkpoint
        self.checkpointSequence = checkpointSequence
        self.knownIdentity = identity
    }

    /// - Parameter progress: is told how many bytes were read, of how many, before anything is changed; what it throws
    ///   ends the work.
    /// - Throws: a `JournalError`: `.unavailable` when there is no room for the copies, `.newer` for a newer tally's
    ///   journal.
    package func run(progress: (Int, Int) throws -> Void = { _, _ in }) throws -> JournalRepairReport {
        var report = JournalRepairReport()
        if try isDamaged() { try rewrite(&report, progress: progress) }
        let recovery = try files.recover(place: place)
        guard let identity = recovery.identity, let last = recovery.segments.last?.last else { return report }
        report.lastOffset = last
        if last < checkpoint || recovery.lastSequence < checkpointSequence {
            try extend(identity, after: last, lastSequence: recovery.lastSequence, &report)
        }
        return report
    }

    private func isDamaged() throws -> Bool {
        do throws(JournalError) {
            _ = try files.recover(place: place, changes: false)
        } catch .damaged {
            return true
        } catch {
            throw error
        }
        return try JournalError.translating {
            try JournalSurvey(files, identity: knownIdentity).segments.contains(where: \.hasUnreadableChunk)
        }
    }

    /// Adds a segment so that the next chunk gets an offset and a sequence that the store has not seen.
    private func extend(
        _ identity: NodeID, after last: LogOffset, lastSequence: UInt64, _ report: inout JournalRepairReport
    ) throws(JournalError) {
        let end = max(last, checkpoint)
        let header = SegmentHeader(
            identity: identity, size: settings.segmentBytes, first: last.next, lost: end.value - last.value,
            synced: end,
            lastSequence: max(lastSequence, checkpointSequence))
        do throws(DiskError) {
            try files.prepare(header)
            try files.publish(header)
            try disk.syncDirectory()
        } catch {
            throw JournalError(error)
        }
        if end > last { report.lost.append(last.next...end) }
        report.lastOffset = end
    }

    private func rewrite(_ report: inout JournalRepairReport, progress: (Int, Int) throws -> Void) throws {
        try JournalError.translating {
            let survey = try JournalSurvey(files, identity: knownIdentity, progress: progress)
            guard let identity = survey.identity else {
                throw JournalError.unavailable("no header of the journal can be read, so its identity is unknown")
            }
            let plan = RepairPlan(
                survey.segments, identity: identity, checkpoint: checkpoint, checkpointSequence: checkpointSequence)
            report.lost = plan.lost
            report.skipped = plan.skipped
            for name in plan.replaced { report.copies.append(try copy(name)) }
            try disk.syncDirectory()
            for piece in plan.pieces {
                try files.prepare(piece.header, records: try records(of: piece))
                report.saved += piece.records.count
            }
            for piece in plan.pieces where !piece.replaces { try files.publish(piece.header) }
            try disk.syncDirectory()
            for piece in plan.pieces where piece.replaces { try files.publish(piece.header) }
            try disk.syncDirectory()
        }
    }

    /// - Returns: the name of the copy.
    private func copy(_ name: String) throws(DiskError) -> String {
        let names = Set(try disk.files())
        var number = 1
        var copyName = name + SegmentName.damagedSuffix
        while names.contains(copyName) {
            number += 1
            copyName = "\(name)\(SegmentName.damagedSuffix)-\(number)"
        }
        let bytes = try files.readAll(name)
        try disk.create(copyName, size: bytes.count)
        try disk.write(bytes, to: copyName, at: 0)
        try disk.sync(copyName)
        return copyName
    }

    private func records(of piece: RepairPlan.Piece) throws(DiskError) -> [UInt8] {
        var bytes: [UInt8] = []
        for source in piece.records {
            let record = source.record
            bytes += try disk.read(source.file, at: record.position, count: record.end - record.position)
        }
        return bytes
    }
}
