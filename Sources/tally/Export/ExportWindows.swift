// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// Cuts a range of minutes into windows small enough to sort in memory: a day at first, less where much happened.
struct ExportWindows: Equatable, Sendable {
    private static let longest: Int64 = 1_440

    private var next: Minute
    private let end: Minute
    private var length = ExportWindows.longest

    /// - Parameter range: without its last minute.
    init(_ range: Range<Minute>) {
        next = range.lowerBound
        end = range.upperBound
    }

    /// What to read now; nil at the end. It stays the same until `finish` or `shrink`.
    var window: Range<Minute>? { next < end ? next..<min(end, next.advanced(by: length)) : nil }

    /// The window is done.
    /// - Parameter isSmall: far less happened than there is room for, so the next one may be longer.
    mutating func finish(isSmall: Bool) {
        guard let window else { return }
        next = window.upperBound
        if isSmall { length = min(ExportWindows.longest, length * 2) }
    }

    /// Too much happened in the window for the memory.
    /// - Returns: false when it is a single minute, which can't be cut.
    mutating func shrink() -> Bool {
        guard let window else { return false }
        let current = Int64(window.upperBound.sinceEpoch) - Int64(window.lowerBound.sinceEpoch)
        guard current > 1 else { return false }
        length = current / 2
        return true
    }
}
