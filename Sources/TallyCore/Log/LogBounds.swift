// SPDX-License-Identifier: Apache-2.0

/// What the servers of a log say of it in one answer: where it begins and ends, and what is absent in between.
package struct LogBounds: Equatable, Sendable {
    /// How a reader knows that an offset between `first` and `last` holds no message.
    package enum Absence: Equatable, Sendable {
        /// The servers send every message from the offset on at which a consumer begins, in order and without loss: an
        /// offset that they leave out holds none. Kafka does so: what is left out is a transaction marker, or was compacted.
        case whatIsNotSent
        /// Messages may be lost on the way to a consumer. Only these offsets hold none; ascending.
        case listed([LogOffset])
    }

    /// The first offset that is not trimmed: the log holds everything from here on that is not absent. At least 1, at
    /// most `last.next`.
    package var first: LogOffset
    /// The highest offset that was ever given out; `.none` when there never was one.
    package var last: LogOffset
    package var absence: Absence

    package init(first: LogOffset, last: LogOffset, absence: Absence = .listed([])) {
        self.first = first
        self.last = last
        self.absence = absence
    }

    /// Whether the log certainly holds no message at these offsets, and nothing of them was trimmed.
    package func proveAbsent(_ offsets: Range<LogOffset>) -> Bool {
        guard first <= offsets.lowerBound, offsets.upperBound <= last.next else { return false }
        guard case .listed(let absent) = absence else { return true }
        let start = absent.partitioningIndex { $0 >= offsets.lowerBound }
        let end = absent.partitioningIndex { $0 >= offsets.upperBound }
        return Int64(end - start) == offsets.upperBound.value - offsets.lowerBound.value
    }
}

extension Array {
    /// The index of the first element that belongs to the second part of a partitioned array; `count` when none does.
    fileprivate func partitioningIndex(where isInSecondPart: (Element) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = low + (high - low) / 2
            if isInSecondPart(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
