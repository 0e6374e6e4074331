// SPDX-License-Identifier: Apache-2.0

import TallyBackends
import TallyCore

extension Wiring {
    /// The tools for the journal of a data directory that no server is using.
    static func journalMaintenance(_ place: DataPlace) throws -> any JournalMaintenance {
        JournalTools(directory: try DataDirectory(existing: place.directory), store: place.store)
    }

    /// The tools for the store of a data directory that no server is using.
    static func storeMaintenance(_ place: DataPlace) throws -> any StoreMaintenance {
        guard case .sqlite(let path) = place.store else {
            throw CommandFailure.failed(
                "\(place.store) can't be converted in its place, as the file of an SQLite store can")
        }
        // Held until the tool has done its work: no server can begin meanwhile.
        return StoreTools(path: path, directory: try DataDirectory(existing: place.directory))
    }
}

private struct JournalTools: JournalMaintenance {
    let directory: DataDirectory
    let store: StoreURL

    private var place: JournalPlace { JournalPlace(dataDirectory: directory.path) }

    func verify(progress: (WorkProgress) throws -> Void) async throws -> MaintenanceReport {
        let report = try JournalVerification.run(on: RealDisk(path: directory.journalPath), place: place) {
            done, total in
            try progress(WorkProgress(done: Int64(done), total: Int64(total)))
        }
        var text = MaintenanceReport(report)
        guard report.damages.isEmpty, let identity = report.identity else { return text }
        do {
            let store = try await Wiring.existingStore(store)
            let checkpoint = try await store?.checkpoint(of: LogID(journal: identity))
            try await store?.close()
            text.problems += MaintenanceReport.problems(of: "the journal", missing: try missing(checkpoint))
        } catch let error as StoreError {
            // Without its checkpoint it is not known what was confirmed to be lost.
            text.facts.append(.init(name: "missing chunks", value: "not looked for: \(error)"))
        }
        return text
    }

    /// The directory is held meanwhile, so that no server counts the journal and none can begin.
    func confirm(_ lost: LostChunks) async throws -> MaintenanceReport {
        let report = try JournalVerification.run(on: RealDisk(path: directory.journalPath), place: place)
        if let damage = report.damages.first { throw CommandFailure.failed("\(damage)") }
        guard let identity = report.identity else {
            return MaintenanceReport(facts: [.init(name: "journal", value: "empty")], problems: [])
        }
        guard let store = try await Wiring.existingStore(store) else {
            throw CommandFailure.failed("there is no store at \(store); --store names it")
        }
        let log = LogID(journal: identity)
        let missing = try missing(try await store.checkpoint(of: log))
        if lost.isEmpty {
            try await store.close()
            return .missing([("\(log)", missing)])
        }
        try lost.check(against: missing)
        let checkpoint = try await lost.confirm(of: log, in: store)
        try await store.close()
        // A start without the store begins with the copy.
        try await CheckpointFile(in: directory).write(checkpoint, of: log)
        return .confirmed(lost, rest: lost.rest(of: missing))
    }

    /// What the journal lacks behind the checkpoint; nothing where it was trimmed beyond it.
    private func missing(_ checkpoint: Checkpoint?) throws -> [NodeID: SequenceRanges] {
        let checkpoint = checkpoint ?? .start
        var ledger = SequenceLedger(
            counted: checkpoint.sequences, confirmed: checkpoint.confirmedMissing, explainsSkippedOffsets: true)
        var position = checkpoint.upTo
        var beginning: LogOffset?
        try JournalDump.read(on: RealDisk(path: directory.journalPath)) { entry in
            beginning = beginning ?? entry.offset
            guard entry.offset > position else { return }
            _ = ledger.add(entry.chunk, skipsOffsets: entry.offset > position.next)
            position = entry.offset
        }
        return beginning.map { $0 <= checkpoint.upTo.next } == true ? ledger.missing : [:]
    }

    func repair(identity named: NodeID?, progress: (WorkProgress) throws -> Void) async throws -> MaintenanceReport {
        let disk = try RealDisk(path: directory.journalPath)
        func show(done: Int, total: Int) throws {
            try progress(WorkProgress(done: Int64(done), total: Int64(total)))
        }
        let found = try JournalVerification.run(on: disk, place: place, progress: show)
        let (identity, checkpoint) = try await known(of: found, named: named)
        let repair = JournalRepair(
            disk: disk, place: place, settings: .default, checkpoint: checkpoint?.upTo ?? .none,
            checkpointSequence: identity.flatMap { checkpoint?.sequences[$0]?.highest } ?? 0, identity: identity)
        return MaintenanceReport(try repair.run(progress: show), identity: found.identity == nil ? identity : nil)
    }

    /// Whose the journal is, and what the store knows of it: offsets and sequences that must never be given out again.
    private func known(
        of found: JournalReport, named: NodeID?
    ) async throws -> (identity: NodeID?, checkpoint: Checkpoint?) {
        guard let store = try await Wiring.existingStore(store) else {
            throw CommandFailure.failed(
                "there is no store at \(store), and a repair has to know what it has counted; --store names it")
        }
        if found.segments == 0 { return (nil, nil) }
        let identity = try await identity(of: found, named: named, in: store)
        let checkpoint = try await store.checkpoint(of: LogID(journal: identity))
        try await store.close()
        return (identity, checkpoint)
    }

    private func identity(of found: JournalReport, named: NodeID?, in store: any Store) async throws -> NodeID {
        guard let identity = found.identity else {
            guard let named else { return try JournalIdentity.only(of: try await store.logs(), at: place) }
            guard try JournalIdentity.fits(named, on: RealDisk(path: directory.journalPath)) else {
                throw CommandFailure.failed("nothing in the journal can be read as \(named)'s; nothing was changed")
            }
            return named
        }
        if let named, named != identity {
            throw CommandFailure.failed("the journal's headers say that it is \(identity), not \(named)")
        }
        return identity
    }

    func dump(from offset: LogOffset, line: (String) throws -> Void) async throws {
        try JournalDump.run(on: RealDisk(path: directory.journalPath), from: offset) { text in try line(text) }
    }
}

private struct StoreTools: StoreMaintenance {
    let path: String
    let directory: DataDirectory

    func convert(to layout: Layout, progress: (WorkProgress) throws -> Void) async throws -> MaintenanceReport {
        let hasChanged = try await SQLiteConversion(path: path).convert(to: layout) { done, total in
            try progress(WorkProgress(done: Int64(done), total: Int64(total), unit: .things("rows")))
        }
        let state = hasChanged ? "converted" : "had this layout already"
        return MaintenanceReport(
            facts: [.init(name: "store", value: path), .init(name: "layout \(layout)", value: state)], problems: [])
    }
}

extension MaintenanceReport {
    fileprivate init(_ report: JournalReport) {
        let offsets = report.first.flatMap { first in report.last.map { "\(first) to \($0)" } } ?? "none"
        facts = [
            Fact(name: "journal", value: report.identity?.description ?? (report.segments > 0 ? "unknown" : "empty")),
            Fact(name: "segments", value: NumberText.grouped(report.segments)),
            Fact(name: "size", value: NumberText.bytes(Int64(report.bytes))),
            Fact(name: "chunks", value: NumberText.grouped(report.chunks)),
            Fact(name: "events", value: NumberText.grouped(report.events)),
            Fact(name: "offsets", value: offsets),
        ]
        facts += report.lost.map { Fact(name: "lost earlier", value: "\($0.lowerBound) to \($0.upperBound)") }
        if let unfinished = report.unfinished {
            facts.append(Fact(name: "cut short by a crash", value: "\(unfinished.file), byte \(unfinished.position)"))
        }
        problems = report.damages.map(\.description)
    }

    /// - Parameter identity: the journal's, if its headers don't say it.
    fileprivate init(_ report: JournalRepairReport, identity: NodeID?) {
        facts = [Fact(name: "last offset", value: report.lastOffset.description)]
        if report.changedNothing { facts.insert(Fact(name: "journal", value: "sound; nothing was changed"), at: 0) }
        if let identity { facts.insert(Fact(name: "identity", value: "\(identity), which no header says"), at: 0) }
        if !report.copies.isEmpty { facts.append(Fact(name: "chunks saved", value: NumberText.grouped(report.saved))) }
        facts += report.lost.map { Fact(name: "lost", value: "offsets \($0.lowerBound) to \($0.upperBound)") }
        facts +=
            report.skipped.map { [Fact(name: "skipped", value: "offsets \($0.lowerBound) to \($0.upperBound)")] } ?? []
        facts += report.copies.map { Fact(name: "copy kept", value: $0) }
        problems = []
    }
}
