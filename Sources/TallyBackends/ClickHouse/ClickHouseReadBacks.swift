// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TallyCore

/// What was written and not yet read back, for each log.
final class ClickHouseReadBacks: Sendable {
    private let pending = Mutex<[LogID: ClickHouseReadBack]>([:])
    private let areAlwaysDue: Bool

    init(areAlwaysDue: Bool) { self.areAlwaysDue = areAlwaysDue }

    /// - Parameter duration: how long writing them took.
    /// - Returns: what is to be read back now; nil when it is not due.
    func add(_ rows: [Row], of log: LogID, writtenIn duration: Duration) -> ClickHouseReadBack.Extent? {
        pending.withLock { pending in
            pending[log, default: ClickHouseReadBack()].add(rows, writtenIn: duration)
            guard let readBack = pending[log], areAlwaysDue || readBack.isDue else { return nil }
            return readBack.extent
        }
    }

    /// - Parameter extent: what was read; nil when reading failed, so that it is tried again later.
    func didRead(_ extent: ClickHouseReadBack.Extent?, of log: LogID, in duration: Duration) {
        pending.withLock { $0[log]?.didRead(extent, in: duration) }
    }
}

/// Decides when a flush is read back, so that reading takes a bounded part of the time that writing takes. No I/O.
struct ClickHouseReadBack: Equatable, Sendable {
    /// Reading that takes less is done after each flush.
    static let alwaysAffordable = Duration.milliseconds(100)
    /// Of the time that writing takes, in percent.
    static let maximumShare = 30

    /// The rows with these offsets and starts.
    struct Extent: Equatable, Sendable {
        var offsets: ClosedRange<Int64>
        /// In Unix seconds.
        var starts: ClosedRange<Int64>

        func union(_ other: Extent) -> Extent {
            Extent(offsets: hull(offsets, other.offsets), starts: hull(starts, other.starts))
        }

        private func hull(_ left: ClosedRange<Int64>, _ right: ClosedRange<Int64>) -> ClosedRange<Int64> {
            min(left.lowerBound, right.lowerBound)...max(left.upperBound, right.upperBound)
        }
    }

    /// What was written since the last reading; nil when there is nothing.
    private(set) var extent: Extent?
    private var writing = Duration.zero
    private var lastReading = Duration.zero

    /// As long as the last reading does not tell, the next one is assumed to take no time.
    var isDue: Bool {
        extent != nil
            && (lastReading <= Self.alwaysAffordable || lastReading * 100 <= writing * Self.maximumShare)
    }

    mutating func add(_ rows: [Row], writtenIn duration: Duration) {
        writing += duration
        for row in rows {
            let (offset, start) = (row.upTo.value, row.key.start.unixSeconds)
            let own = Extent(offsets: offset...offset, starts: start...start)
            extent = extent?.union(own) ?? own
        }
    }

    mutating func didRead(_ read: Extent?, in duration: Duration) {
        lastReading = duration
        writing = .zero
        // What another flush has added meanwhile is not read yet.
        if read == extent { extent = nil }
    }
}
