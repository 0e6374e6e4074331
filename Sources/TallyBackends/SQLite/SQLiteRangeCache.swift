// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TallyCore

/// The rows of the ranges that were asked for last, until anything is written: between two flushes the same charts are drawn
/// again and again, and reading a row takes SQLite longer than everything else about it.
///
/// What is remembered was read when the store had a version (`SQLiteWatch`), and is only ever returned for that one. A version is
/// over before a write returns, so whoever has seen a write return doesn't see what was before it.
final class SQLiteRangeCache: Sendable {
    private struct Contents {
        var version = Int64.min
        var rows: [RowRange: [StoredRow]] = [:]
        var bytes = 0
    }

    private let mostBytes: Int
    private let contents = Mutex(Contents())

    init(mostBytes: Int = 32 << 20) { self.mostBytes = mostBytes }

    func rows(in range: RowRange, at version: Int64) -> [StoredRow]? {
        contents.withLock { $0.version == version ? $0.rows[range] : nil }
    }

    /// - Parameter version: asked for before they were read.
    func remember(_ rows: [StoredRow], in range: RowRange, at version: Int64, layout: Layout) {
        let bytes = SQLiteRangeCache.bytes(of: rows.count, layout: layout)
        guard bytes <= mostBytes / 4 else { return }
        contents.withLock { contents in
            if contents.version != version || contents.bytes + bytes > mostBytes {
                contents = Contents(version: version)
            }
            if contents.rows.updateValue(rows, forKey: range) == nil { contents.bytes += bytes }
        }
    }

    /// About what so many rows take.
    private static func bytes(of rows: Int, layout: Layout) -> Int {
        let array = layout == .hour ? 32 + 8 * layout.minutesPerRow : 0
        return 256 + rows * (MemoryLayout<StoredRow>.stride + array)
    }
}
