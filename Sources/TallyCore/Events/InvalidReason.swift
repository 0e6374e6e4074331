// SPDX-License-Identifier: Apache-2.0

/// Why an event is taken for none of a person's. It counts all the same, and is counted a second time as invalid: what
/// people did is the difference.
package enum InvalidReason: String, CaseIterable, Sendable {
    /// The client says of itself that it is a program.
    case bot
    /// One visitor did more on one banner in a short time than people do.
    case burst
}

/// Sums of invalid events by reason.
package struct InvalidSums: Equatable, Sendable {
    private var bot: Int64 = 0
    private var burst: Int64 = 0

    package init() {}

    package subscript(reason: InvalidReason) -> Int64 {
        get {
            switch reason {
            case .bot: bot
            case .burst: burst
            }
        }
        set {
            switch reason {
            case .bot: bot = newValue
            case .burst: burst = newValue
            }
        }
    }

    package mutating func add(_ other: InvalidSums) {
        for reason in InvalidReason.allCases { self[reason] = self[reason].addingSaturated(other[reason]) }
    }
}
