// SPDX-License-Identifier: Apache-2.0

/// What is known of a banner besides its counts. Two are equal when all of their texts have the same bytes.
package struct Banner: Sendable {
    package var id: BannerID
    /// Unique by its bytes where given; 1 to `Limits.bannerNameBytes` bytes.
    package var name: String?
    /// Where `/v1/click` leads: an absolute `http` or `https` URL, at most `Limits.bannerTargetBytes` bytes.
    package var target: String?
    /// Sorted by bytes, each once; at most `Limits.bannerTags` of at most `Limits.bannerTagBytes` bytes.
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

extension Banner: Hashable {
    private struct Exact: Hashable {
        let id: BannerID
        let name: ExactText?
        let target: ExactText?
        let tags: [ExactText]
        let isRegistered: Bool
    }

    private var exact: Exact {
        Exact(
            id: id, name: name.map { ExactText($0) }, target: target.map { ExactText($0) },
            tags: tags.map { ExactText($0) }, isRegistered: isRegistered)
    }

    package static func == (left: Banner, right: Banner) -> Bool { left.exact == right.exact }

    package func hash(into hasher: inout Hasher) { exact.hash(into: &hasher) }
}

/// Keeps what is known of banners. All decisions are `BannerDirectory`'s; a store only remembers.
package protocol BannerStore: Sendable {
    /// All banners, in no particular order.
    func banners() async throws(StoreError) -> [Banner]
    /// Inserts or replaces each banner by its id; all or none. Durable on return.
    func save(_ banners: [Banner]) async throws(StoreError)
}
