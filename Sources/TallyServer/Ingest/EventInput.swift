// SPDX-License-Identifier: Apache-2.0

package import TallyCore

/// An event as its sender described it.
package struct EventInput: Hashable, Sendable {
    package var banner: BannerID
    package var kind: Kind
    /// nil for now.
    package var time: Timestamp?
    package var count: Int64
    /// The sender's name of the event; counts once.
    package var id: String?
    /// Why it is no person's, as the server found; a sender can't say so.
    package var invalid: InvalidReason?
    /// Whom the server took the sender for; nil where it doesn't ask.
    package var visitor: Sighting.Mark?

    package init(
        banner: BannerID, kind: Kind = .click, time: Timestamp? = nil, count: Int64 = 1, id: String? = nil
    ) {
        self.banner = banner
        self.kind = kind
        self.time = time
        self.count = count
        self.id = id
    }
}
