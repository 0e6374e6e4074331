// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// What JetStream tells about a stream.
package struct JetStreamState: Equatable, Sendable {
    /// When it was made, in nanoseconds since 1970: another stream of the same name was made at another time.
    package var created: Int64
    /// The sequence of the first message that is there, and the last that ever was; 0 before there was one.
    package var first: Int64
    package var last: Int64
    /// The sequences between them that hold no message any more, ascending; `[]` unless they were asked for.
    package var absent: [Int64]
    package var replicas: Int
    package var isInMemory: Bool
    /// 0 for any.
    package var maximumAge: Duration
    /// Of messages or bytes.
    package var hasLimit: Bool
    package var dropsOldest: Bool
    /// In bytes; nil for what the servers allow.
    package var largestMessage: Int?
    /// Messages stay when they were read.
    package var keepsAll: Bool
    package var acknowledges: Bool

    package init(
        created: Int64 = 0, first: Int64 = 0, last: Int64 = 0, absent: [Int64] = [], replicas: Int = 3,
        isInMemory: Bool = false,
        maximumAge: Duration = .zero, hasLimit: Bool = false, dropsOldest: Bool = false, largestMessage: Int? = nil,
        keepsAll: Bool = true, acknowledges: Bool = true
    ) {
        self.created = created
        self.first = first
        self.last = last
        self.absent = absent
        self.replicas = replicas
        self.isInMemory = isInMemory
        self.maximumAge = maximumAge
        self.hasLimit = hasLimit
        self.dropsOldest = dropsOldest
        self.largestMessage = largestMessage
        self.keepsAll = keepsAll
        self.acknowledges = acknowledges
    }
}

extension JetStreamState {
    /// A stream that never had a message begins at 0.
    var bounds: LogBounds {
        LogBounds(
            first: LogOffset(max(1, first)), last: LogOffset(last), absence: .listed(absent.map { LogOffset($0) }))
    }
}
