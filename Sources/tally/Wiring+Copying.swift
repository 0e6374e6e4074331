// SPDX-License-Identifier: Apache-2.0

import TallyBackends
import TallyCore

/// The tools that work on two stores, or on a store and a journal.
extension Wiring {
    /// - Parameter layout: of a destination that is made; nil for the source's.
    static func copyStore(
        from: StoreURL, to: StoreURL, layout: Layout?, progress: (WorkProgress) throws -> Void
    ) async throws -> MaintenanceReport {
        guard from != to else { throw CommandFailure.usage(["--from and --to name the same store"]) }
        let source = try await mustExist(from)
        let destination = try await self.destination(to, layout: layout ?? source.layout, isChosen: layout != nil)
        let report = try await StoreCopy(from: source, to: destination, named: "\(from)").run { done, total in
            try progress(WorkProgress(done: Int64(done), total: Int64(total), unit: .things("pieces")))
        }
        try await source.close()
        try await destination.close()
        return MaintenanceReport(report, from: from, to: to, layouts: (source.layout, destination.layout))
    }

    static func compareStores(
        _ first: StoreURL, _ second: StoreURL, progress: (WorkProgress) throws -> Void
    ) async throws -> MaintenanceReport {
        let one = try await mustExist(first)
        let other = try await mustExist(second)
        let report = try await StoreCheck(one, other).run { done, total in
            try progress(WorkProgress(done: Int64(done), total: Int64(total), unit: .things("pieces")))
        }
        try await one.close()
        try await other.close()
        return MaintenanceReport(report, first: first, second: second)
    }

    static func compareWithJournal(
        _ place: DataPlace, progress: (WorkProgress) throws -> Void
    ) async throws -> MaintenanceReport {
        // Held until the end: no server may write meanwhile.
        let directory = try DataDirectory(existing: place.directory)
        let disk = try RealDisk(path: directory.journalPath)
        let found = try JournalVerification.run(on: disk, place: JournalPlace(dataDirectory: directory.path)) { _, _ in
        }
        guard let identity = found.identity else {
            throw CommandFailure.failed("the journal in \(directory.path) is empty, or doesn't say whose it is")
        }
        let store = try await mustExist(place.store)
        let report = try await LogComparison(journal: disk, store: store).run(of: LogID(journal: identity)) {
            done, total in
            try progress(WorkProgress(done: Int64(done), total: Int64(total), unit: .things("rows")))
        }
        try await store.close()
        return MaintenanceReport(
            report, store: place.store, journal: identity, damages: found.damages.map(\.description))
    }

    private static func mustExist(_ url: StoreURL) async throws -> any Store {
        guard let store = try await existingStore(url) else {
            throw CommandFailure.failed("there is no store at \(url)")
        }
        return store
    }

    private static func destination(_ url: StoreURL, layout: Layout, isChosen: Bool) async throws -> any Store {
        guard let store = try await existingStore(url) else { return try openStore(url, layout: layout) }
        guard !isChosen || store.layout == layout else {
            throw CommandFailure.failed("the store at \(url) has the layout \(store.layout.rawValue) already")
        }
        return store
    }
}

extension MaintenanceReport {
    fileprivate init(
        _ report: StoreCopy.Report, from: StoreURL, to: StoreURL, layouts: (from: Layout, to: Layout)
    ) {
        facts = [
            Fact(name: "from", value: "\(from), layout \(layouts.from.rawValue)"),
            Fact(name: "to", value: "\(to), layout \(layouts.to.rawValue)"),
            Fact(name: "banners", value: NumberText.grouped(report.banners)),
            Fact(name: "logs", value: NumberText.grouped(report.logs)),
            Fact(name: "rows read", value: NumberText.grouped(report.rows)),
            Fact(name: "rows written", value: NumberText.grouped(report.written)),
            Fact(name: "sum of the counts", value: "\(report.sourceSum)"),
            Fact(name: "sum in the copy", value: "\(report.destinationSum)"),
            Fact(name: "sightings read", value: NumberText.grouped(report.sightings)),
            Fact(name: "sightings written", value: NumberText.grouped(report.writtenSightings)),
        ]
        problems =
            MaintenanceReport.problems(report.differences) + MaintenanceReport.problems(report.sightingDifferences)
    }

    fileprivate init(_ report: StoreCheck.Report, first: StoreURL, second: StoreURL) {
        facts = [
            Fact(name: "first", value: "\(first), \(NumberText.grouped(report.minutesOfFirst)) minutes with a count"),
            Fact(
                name: "second", value: "\(second), \(NumberText.grouped(report.minutesOfSecond)) minutes with a count"),
        ]
        if report.coarserLogs > 0 {
            let logs = NumberText.counted(report.coarserLogs, "log")
            facts.append(Fact(name: "compared by the hour", value: "\(logs), where one store has no minutes any more"))
        }
        let banners = report.differentBanners.prefix(Differences.named).map {
            "banner \($0) is known in one of them only, or by another name, target or tags"
        }
        problems =
            MaintenanceReport.problems(report.differences) + banners
            + MaintenanceReport.rest(report.differentBanners.count, "banner")
            + MaintenanceReport.problems(report.sightingDifferences)
    }

    fileprivate init(_ report: LogComparison.Report, store: StoreURL, journal: NodeID, damages: [String]) {
        facts = [
            Fact(name: "store", value: "\(store)"),
            Fact(name: "journal", value: "\(journal)"),
            Fact(
                name: "from its first chunk on",
                value: report.isWhole ? "yes" : "no: the store alone has what it dropped"),
            Fact(name: "chunks compared", value: NumberText.grouped(report.chunks)),
            Fact(name: "rows compared", value: NumberText.grouped(report.rows)),
        ]
        problems =
            damages + report.contradictions.map(\.description)
            + MaintenanceReport.rest(report.contradictionCount, "contradiction")
    }

    private static func problems(_ differences: Differences) -> [String] {
        differences.first.map(\.description) + rest(differences.count, "difference")
    }

    private static func problems(_ differences: SightingDifferences) -> [String] {
        differences.days.prefix(Differences.named).map(\.description) + rest(differences.days.count, "day")
    }

    /// What is not named.
    private static func rest(_ count: Int, _ what: String) -> [String] {
        let more = count - Differences.named
        return more > 0 ? ["and \(NumberText.counted(more, "more " + what))"] : []
    }
}
