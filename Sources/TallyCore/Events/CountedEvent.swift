// SPDX-License-Identifier: Apache-2.0

/// An event that was validated: what happened to which banner in which minute, how often, and its id if it has one.
package struct CountedEvent: Hashable, Sendable {
    package var banner: BannerID
    package var kind: Kind
    package var minute: Minute
    /// From 1 to `Limits.eventCount`.
    package var count: Int64
    package var id: EventID?

    package init(banner: BannerID, kind: Kind, minute: Minute, count: Int64, id: EventID? = nil) {
        precondition(count >= 1 && count <= Limits.eventCount, "the count of an event is checked where it enters")
        self.banner = banner
        self.kind = kind
        self.minute = minute
        self.count = count
        self.id = id
    }
}
