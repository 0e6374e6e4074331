// SPDX-License-Identifier: Apache-2.0

package import TallyCore

/// Compares a store with what a journal still holds; see `LogCheck`. Both are only read.
package struct LogComparison {
    package struct Report: Equatable, Sendable {
        package var chunks = 0
        package var rows = 0
        /// Whether the journal still has its first chunk, so that the store may have nothing else.
        package var isWhole = false
        package var contradictionCount = 0
        /// The first few.
        package var contradictions: [LogCheck.Contradiction] = []

        package init() {}

        fileprivate mutating func add(_ found: [LogCheck.Contradiction]) {
            contradictionCount += found.count
            contradictions += found.prefix(Differences.named - contradictions.count)
        }
    }

    private let disk: any Disk
    private let store: any Store

    /// - Parameter disk: of the journal.
    package init(journal disk: any Disk, store: any Store) {
        self.disk = disk
        self.store = store
    }

    /// - Parameters:
    ///   - log: the journal's identity.
    ///   - progress: called now and then with the rows that are done and all of them; what it throws ends the work.
    package func run(
        of log: LogID, progress: (_ done: Int, _ total: Int) throws -> Void = { _, _ in }
    ) async throws -> Report {
        var check = LogCheck(
            log: log, layout: store.layout, checkpoint: try await store.checkpoint(of: log),
            horizon: try await store.horizon(of: log))
        try JournalDump.read(on: disk) { check.read($0) }
        var report = Report()
        report.chunks = check.chunks
        report.isWhole = check.isWhole
        let keys = check.keys
        report.rows = keys.count
        let most = check.horizon == .none ? Limits.keysPerLoad : Limits.keysPerLoad / 60
        for some in keys.batches(of: most) {
            let places = some.flatMap(check.places)
            report.add(check.contradictions(at: some, in: try await store.rows(of: log, at: places)))
            try progress(some.endIndex, keys.count)
        }
        if check.isWhole { try await addUnknownRows(check, to: &report) }
        return report
    }

    private func addUnknownRows(_ check: LogCheck, to report: inout Report) async throws {
        for piece in StorePieces.ranges(of: try await store.totals(in: .everything, with: [])) {
            let rows = try await store.rows(in: piece).filter { $0.log == check.log }.map(\.row)
            report.add(check.unknown(rows))
        }
    }
}
