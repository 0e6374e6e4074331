// SPDX-License-Identifier: Apache-2.0

/// A whole minute, counted from 1970-01-01T00:00Z; the last one is 9999-12-31T23:59Z.
/// The minute of an event is decided once, when the event is accepted, and travels with it.
package struct Minute: Hashable, Sendable {
    package let sinceEpoch: UInt32

    package static let first = Minute(unchecked: 0)
    package static let last = Minute(unchecked: 4_223_371_679)

    /// - Returns: nil before 1970 and after 9999.
    package init?(sinceEpoch: Int64) {
        guard sinceEpoch >= 0, sinceEpoch <= Int64(Minute.last.sinceEpoch) else { return nil }
        self.sinceEpoch = UInt32(sinceEpoch)
    }

    /// The minute that holds this second.
    /// - Returns: nil before 1970 and after 9999.
    package init?(unixSeconds: Int64) {
        guard unixSeconds >= 0 else { return nil }
        self.init(sinceEpoch: unixSeconds / 60)
    }

    /// The minute that holds this moment; moments outside 1970…9999 become the nearest minute inside.
    package init(_ timestamp: Timestamp) {
        let minutes = timestamp.milliseconds / 60_000
        self = Minute(sinceEpoch: minutes) ?? (minutes < 0 ? .first : .last)
    }

    private init(unchecked sinceEpoch: UInt32) { self.sinceEpoch = sinceEpoch }

    package var unixSeconds: Int64 { Int64(sinceEpoch) * 60 }

    /// The minute so many minutes later, or earlier when negative; stays within the first and the last.
    package func advanced(by minutes: Int64) -> Minute {
        let (sum, overflow) = Int64(sinceEpoch).addingReportingOverflow(minutes)
        if overflow { return minutes < 0 ? .first : .last }
        return Minute(sinceEpoch: sum) ?? (sum < 0 ? .first : .last)
    }
}

extension Minute: Comparable {
    package static func < (left: Minute, right: Minute) -> Bool { left.sinceEpoch < right.sinceEpoch }
}
