// SPDX-License-Identifier: Apache-2.0

import GRDB
package import TallyCore

/// Turns the file of a store from one layout into the other.
///
/// The new file is made beside the old one, compared with it, and then put in its place by one rename: until then the
/// old one stays as it is, and a conversion that was cut off is simply run again. No other process may use the store;
/// the caller holds the lock of the data directory.
package struct SQLiteConversion: Sendable {
    private static let rowsPerRead = 10_000

    private let path: String
    private var newPath: String { path + ".converting" }

    /// - Parameter path: of the store's file.
    package init(path: String) { self.path = path }

    /// - Parameter progress: called now and then with the rows done so far and all rows of the old file; what it throws
    ///   ends the work.
    /// - Returns: false when the store had this layout already.
    /// - Throws: a `StoreError`: `.unavailable` also when there is no store, or another process has it open;
    ///   `CancellationError` when the task was cancelled while the old file was still in its place, where it stays.
    package func convert(
        to layout: Layout, progress: (_ done: Int, _ total: Int) throws -> Void = { _, _ in }
    ) async throws -> Bool {
        guard let oldLayout = try SQLiteStore.layout(ofFileAt: path) else {
            throw StoreError.unavailable("there is no store at \(path)")
        }
        try removeNewFile()
        if oldLayout == layout { return false }
        let old = try SQLiteStore(path: path, layout: oldLayout)
        do {
            try await make(layout, from: old, progress: progress)
        } catch {
            // What went wrong first is what matters; what can't be tidied up now is removed by the next conversion.
            try? old.close()
            try? removeNewFile()
            try Task.checkCancellation()
            throw error
        }
        try old.close()
        try replaceOldFile()
        return true
    }

    private func make(_ layout: Layout, from old: SQLiteStore, progress: (Int, Int) throws -> Void) async throws {
        if layout == .hour { try await refuseUnfinishedFlush(in: old) }
        let new = try SQLiteStore(path: newPath, layout: layout)
        do {
            try await new.copyAllButCounts(from: path)
            try await copyCounts(from: old, to: new, progress: progress)
            try await new.copyHorizons(from: path)
            try await compare(old, new)
        } catch {
            try? new.close()
            throw error
        }
        try new.close()
    }

    private func refuseUnfinishedFlush(in old: SQLiteStore) async throws(StoreError) {
        let table = SQLiteCountTable(layout: old.layout)
        let logs = try await old.read { try SQLiteCheckpoints.logsBeyondCheckpoint(of: table, in: $0) }
        guard let log = logs.first else { return }
        throw .unavailable(
            "the store at \(path) holds rows beyond the checkpoint of the log \(log): its last flush was cut off; "
                + "start tally once with the layout \(old.layout.rawValue), stop it, and convert then")
    }

    private func copyCounts(
        from old: SQLiteStore, to new: SQLiteStore, progress: (Int, Int) throws -> Void
    ) async throws {
        let total = try await old.rowCount()
        var regrouping = Regrouping(to: new.layout)
        var done = 0
        var position = SQLiteStore.Position.start
        while true {
            let (rows, next) = try await old.rows(after: position, limit: SQLiteConversion.rowsPerRead)
            if rows.isEmpty { break }
            try await new.merge(rows.flatMap { regrouping.add($0) })
            position = next
            done += rows.count
            try progress(done, total)
        }
        try await new.merge(regrouping.finish())
    }

    private func compare(_ old: SQLiteStore, _ new: SQLiteStore) async throws(StoreError) {
        guard try await old.exactSums() == new.exactSums() else {
            throw .damaged("the sums of \(newPath) are not those of \(path); the store was left as it is")
        }
    }

    private func replaceOldFile() throws(StoreError) {
        // Beside the new file it would be taken for the new file's own.
        guard SQLiteFile.size(of: path + "-wal") == nil else {
            try removeNewFile()
            throw .unavailable("the store at \(path) is in use by another process; stop it and convert then")
        }
        try SQLiteFile.synchronize(newPath)
        try SQLiteFile.move(newPath, to: path)
    }

    private func removeNewFile() throws(StoreError) {
        for suffix in ["", "-wal", "-shm"] { try SQLiteFile.remove(newPath + suffix) }
    }
}
