// SPDX-License-Identifier: Apache-2.0

/// What a journal holds, and all that is wrong with it.
package struct JournalReport: Equatable, Sendable {
    /// nil for an empty directory, and when no header can be read.
    package var identity: NodeID?
    package var segments = 0
    package var chunks = 0
    /// Events in the chunks; those with ids are counted as often as they were sent. Stays at `Int64.max` once there.
    package var events: Int64 = 0
    /// Of the files.
    package var bytes = 0
    package var first: LogOffset?
    package var last: LogOffset?
    /// What earlier repairs had to give up.
    package var lost: [ClosedRange<LogOffset>] = []
    /// The end of a batch that a crash cut short: never acknowledged, and removed at the next start.
    package var unfinished: JournalDamage?
    /// Empty when all is well.
    package var damages: [JournalDamage] = []
}

/// Reads a whole journal and changes nothing.
package enum JournalVerification {
    /// - Parameter progress: is told how many bytes were read, of how many; what it throws ends the work.
    /// - Throws: a `JournalError` when the disk can't be read or a newer tally wrote it. Damage is in the report.
    package static func run(
        on disk: any Disk, place: JournalPlace, progress: (Int, Int) throws -> Void = { _, _ in }
    ) throws -> JournalReport {
        let files = JournalFiles(disk: disk)
        var report = JournalReport()
        try JournalError.translating {
            let survey = try JournalSurvey(
                files, progress: progress, visit: { segment, bytes in report.add(segment, bytes, place: place) })
            report.identity = survey.identity
            if survey.identity == nil { report.addUnreadable(SegmentName.segments(in: try disk.files()), place) }
            report.addHoles(between: survey.segments, place)
        }
        do throws(JournalError) {
            let recovery = try files.recover(place: place, changes: false)
            if let doubt = recovery.doubt { report.dismiss(doubt, place) }
        } catch .damaged(let damage) {
            if report.damages.isEmpty { report.damages.append(damage) }
        } catch {
            throw error
        }
        return report
    }
}

extension JournalReport {
    fileprivate mutating func add(_ segment: SegmentSurvey, _ bytes: [UInt8], place: JournalPlace) {
        segments += 1
        self.bytes += segment.byteCount
        if let header = segment.header, header.lost > 0 { lost.append(header.first...header.lastBeforeRecords) }
        for flaw in segment.flaws {
            damages.append(place.damage(segment.name, at: flaw.position, offset: flaw.offset, flaw.what))
        }
        for finding in segment.findings {
            let offset = finding.record.offset
            do throws(ChunkDecodingError) {
                let chunk = try Chunk(decoding: bytes[finding.record.payload])
                chunks += 1
                events = events.addingSaturated(chunk.eventCount)
            } catch {
                damages.append(
                    place.damage(segment.name, at: finding.record.position, offset: offset, error.description))
            }
            first = min(first ?? offset, offset)
            last = max(last ?? offset, offset)
        }
    }

    /// Without a single header nothing else can be checked.
    fileprivate mutating func addUnreadable(_ names: [String], _ place: JournalPlace) {
        segments = names.count
        for name in names {
            damages.append(place.damage(name, at: 0, offset: SegmentName.first(of: name), "its header can't be read"))
        }
    }

    fileprivate mutating func addHoles(between segments: [SegmentSurvey], _ place: JournalPlace) {
        for (left, right) in zip(segments, segments.dropFirst()) {
            // Where a file's end is damaged, that has been said.
            let isEndSound = left.flaws.allSatisfy { $0.position < left.end }
            let last = left.findings.last?.record.offset ?? left.header?.lastBeforeRecords
            guard isEndSound, let last, last.next != right.first else { continue }
            let what = "its last record is \(last), and the next file begins at \(right.first)"
            damages.append(place.damage(left.name, at: left.end, offset: last.next, what))
        }
    }

    /// What a crash left unfinished is no damage.
    fileprivate mutating func dismiss(_ doubt: JournalRecovery.Doubt, _ place: JournalPlace) {
        let isUnfinished = { (damage: JournalDamage) in (damage.offset ?? .none) >= doubt.offset }
        unfinished = damages.first(where: isUnfinished)
        damages.removeAll(where: isUnfinished)
    }
}
