// SPDX-License-Identifier: Apache-2.0

import TallySimulator

@testable import TallyCore

/// A journal on a disk that can be made to fail.
struct JournalBench {
    static let identity = SampleChunks.node
    static let place = JournalPlace(dataDirectory: "./data")

    let disk: SimulatedDisk
    let settings: JournalSettings

    init(disk: SimulatedDisk = SimulatedDisk(), segmentBytes: Int = 4096) {
        self.disk = disk
        self.settings = JournalSettings(unchecked: segmentBytes)
    }

    func open(progress: (Int, Int) -> Void = { _, _ in }) throws(JournalError) -> Journal {
        try Journal.open(
            on: disk, place: JournalBench.place, settings: settings, newIdentity: JournalBench.identity,
            progress: progress)
    }

    func verify() throws -> JournalReport { try JournalVerification.run(on: disk, place: JournalBench.place) }

    func repair(checkpoint: Int64 = 0, sequence: UInt64 = 0, identity: NodeID? = nil) throws -> JournalRepairReport {
        try JournalRepair(
            disk: disk, place: JournalBench.place, settings: settings, checkpoint: LogOffset(checkpoint),
            checkpointSequence: sequence, identity: identity
        ).run()
    }

    static func name(_ first: Int64) -> String { SegmentName.name(first: LogOffset(first)) }

    /// The records of a segment, as a sound journal would find them.
    func records(of first: Int64) -> [JournalRecord] {
        let name = JournalBench.name(first)
        let survey = SegmentSurvey(
            name: name, first: LogOffset(first), bytes: disk.bytes(of: name), identity: JournalBench.identity)
        return survey.findings.map(\.record)
    }

    /// Destroys the record of this offset so that nothing of it can be read.
    func destroy(offset: Int64, inSegment first: Int64) {
        guard let record = records(of: first).first(where: { $0.offset == LogOffset(offset) }) else {
            preconditionFailure("there is no record \(offset) in segment \(first)")
        }
        disk.flip(JournalBench.name(first), byte: record.payload.lowerBound + 17)
    }
}

extension Journal {
    /// Everything from `offset` on, a few at a time.
    func readAll(from offset: Int64 = 1, maximumBytes: Int = 200) throws(LogError) -> [LogEntry] {
        var entries: [LogEntry] = []
        var next = LogOffset(offset)
        while true {
            let more = try read(from: next, maximumBytes: maximumBytes)
            guard let last = more.last else { return entries }
            entries += more
            next = last.offset.next
        }
    }

    var sequences: [UInt64] {
        get throws(LogError) { try readAll(from: firstOffset.value).map(\.chunk.sequence) }
    }
}

extension LogOffset {
    static func all(_ values: ClosedRange<Int64>) -> [LogOffset] { values.map { LogOffset($0) } }
}
