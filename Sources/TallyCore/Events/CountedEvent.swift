// SPDX-License-Identifier: Apache-2.0

/// An event that was validated: what happened to which banner in which minute, how often, and its id if it has one.
package struct CountedEvent: Hashable, Sendable {
    package var banner: BannerID
    package var kind: Kind
    package var minute: Minute
    /// From 1 to `Limits.eventCount`.
    package var count: Int64
    package var id: EventID?
    /// Why it is invalid; nil for one of a person's.
    package var invalid: InvalidReason?
    /// The mark of its visitor; nil where nobody asks.
    package var visitor: Sighting.Mark?

    package init(
        banner: BannerID, kind: Kind, minute: Minute, count: Int64, id: EventID? = nil, invalid: InvalidReason? = nil,
        visitor: Sighting.Mark? = nil
    ) {
        precondition(count >= 1 && count <= Limits.eventCount, "the count of an event is checked where it enters")
        precondition(kind.reason == nil, "an event has a kind of the user's, and a reason of its own")
        self.banner = banner
        self.kind = kind
        self.minute = minute
        self.count = count
        self.id = id
        self.invalid = invalid
        self.visitor = visitor
    }

    /// How many entries of a chunk it takes at most: itself, and either that it is invalid or its visitor.
    package static let mostEntries = 2
    var entryCount: Int { invalid == nil && visitor == nil ? 1 : CountedEvent.mostEntries }

    package var sighting: Sighting? {
        invalid == nil ? visitor.map { Sighting($0, banner: banner, day: Day(of: minute)) } : nil
    }

    /// Under which kinds it is counted: an invalid event a second time.
    package var countedKinds: [Kind] { [kind] + (invalid.map { [kind.invalid($0)] } ?? []) }
}
