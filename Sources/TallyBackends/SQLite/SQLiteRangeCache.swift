// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TallyCore

/// The rows of the ranges that were asked for last, until anything is written: between two flushes the same charts are drawn
/// again and again, and reading a row takes SQLite longer than everything else about it.
///
/// What is remembered was read when the store was in a state, and is only ever returned for that state. A state is over
/// before a write returns, so whoever has seen a write return doesn't see what was before it.
final class SQLiteRangeCache: Sendable {
    /// Of the store: how many writes have ended, and how the files look, in case another process writes.
    struct State: Equatable {
        fileprivate let writes: Int
        fileprivate let files: SQLiteFile.Stamp
    }

    fileprivate struct Contents {
        var writes = 0
        var state: State?
        var rows: [RowRange: [StoredRow]] = [:]
        var bytes = 0
    }

    private let mostBytes: Int
    private let contents = Mutex(Contents())

    init(mostBytes: Int = 32 << 20) { self.mostBytes = mostBytes }

    /// Take it before reading what is then remembered.
    func state(_ files: SQLiteFile.Stamp) -> State { contents.withLock { State(writes: $0.writes, files: files) } }

    /// A write has ended, done or not.
    func wroteSomething() {
        contents.withLock { contents in
            contents.writes += 1
            contents.forget()
        }
    }

    func rows(in range: RowRange, at state: State) -> [StoredRow]? {
        contents.withLock { $0.state == state ? $0.rows[range] : nil }
    }

    /// - Parameter state: before they were read.
    func remember(_ rows: [StoredRow], in range: RowRange, at state: State, layout: Layout) {
        let bytes = SQLiteRangeCache.bytes(of: rows.count, layout: layout)
        guard bytes <= mostBytes / 4 else { return }
        contents.withLock { contents in
            guard state.writes == contents.writes else { return }
            if contents.state != state || contents.bytes + bytes > mostBytes { contents.forget() }
            contents.state = state
            if contents.rows.updateValue(rows, forKey: range) == nil { contents.bytes += bytes }
        }
    }

    /// About what so many rows take.
    private static func bytes(of rows: Int, layout: Layout) -> Int {
        let array = layout == .hour ? 32 + 8 * layout.minutesPerRow : 0
        return 256 + rows * (MemoryLayout<StoredRow>.stride + array)
    }
}

extension SQLiteRangeCache.Contents {
    fileprivate mutating func forget() {
        state = nil
        rows = [:]
        bytes = 0
    }
}
