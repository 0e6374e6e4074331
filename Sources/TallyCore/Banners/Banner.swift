// SPDX-License-Identifier: Apache-2.0

/// What is known of a banner besides its counts.
package struct Banner: Hashable, Sendable {
    package var id: BannerID
    /// Unique where given; 1 to `Limits.bannerNameBytes` bytes.
    package var name: String?
    /// Where `/v1/click` leads: an absolute `http` or `https` URL, at most `Limits.bannerTargetBytes` bytes.
    package var target: String?
    /// Sorted, each once; at most `Limits.bannerTags` of at most `Limits.bannerTagBytes` bytes.
    package var tags: [String]
    /// Someone registered it; false for a banner that is known only since something was counted.
    package var isRegistered: Bool

    package init(
        id: BannerID, name: String? = nil, target: String? = nil, tags: [String] = [], isRegistered: Bool = false
    ) {
        self.id = id
        self.name = name
        self.target = target
        self.tags = tags
        self.isRegistered = isRegistered
    }
}

/// Keeps what is known of banners. All decisions are `BannerDirectory`'s; a store only remembers.
package protocol BannerStore: Sendable {
    /// All banners, in no particular order.
    func banners() async throws(StoreError) -> [Banner]
    /// Inserts or replaces each banner by its id; all or none. Durable on return.
    func save(_ banners: [Banner]) async throws(StoreError)
}
