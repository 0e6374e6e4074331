// SPDX-License-Identifier: Apache-2.0

/// Which banners there are, who is let in, and what they are called. No I/O: the owner saves what `unsaved` returns.
package struct BannerDirectory {
    private var banners: [BannerID: Banner] = [:]
    private var idsByName: [String: BannerID] = [:]
    private var highestID: Int64 = 0
    private var unsavedIDs: Set<BannerID> = []
    private let limit: Int
    private let onlyRegistered: Bool

    /// - Parameters:
    ///   - limit: how many banners there may be.
    ///   - onlyRegistered: refuse events of banners that nobody registered.
    package init(banners: [Banner] = [], limit: Int = 1_000_000, onlyRegistered: Bool = false) {
        self.limit = limit
        self.onlyRegistered = onlyRegistered
        for banner in banners { remember(banner) }
    }

    package enum Refusal: Error, Equatable, Sendable {
        case unknownBanner(BannerID)
        case tooManyBanners(limit: Int)
        case nameTaken(String, by: BannerID)
        case idsExhausted
    }

    package var count: Int { banners.count }
    /// Ascending by id.
    package var all: [Banner] { banners.values.sorted { $0.id < $1.id } }

    package subscript(id: BannerID) -> Banner? { banners[id] }
    package func banner(named name: String) -> Banner? { idsByName[name].flatMap { banners[$0] } }

    /// An event of this banner wants in.
    package mutating func admit(_ id: BannerID) throws(Refusal) {
        if let known = banners[id] {
            if onlyRegistered, !known.isRegistered { throw .unknownBanner(id) }
            return
        }
        if onlyRegistered { throw .unknownBanner(id) }
        guard banners.count < limit else { throw .tooManyBanners(limit: limit) }
        note(id)
    }

    /// The log holds an event of this banner: it is known from now on, whatever the limit says.
    package mutating func note(_ id: BannerID) {
        guard banners[id] == nil else { return }
        remember(Banner(id: id))
        unsavedIDs.insert(id)
    }

    /// Registers the banner, or replaces what was registered.
    package mutating func register(_ banner: Banner) throws(Refusal) {
        if let name = banner.name, let owner = idsByName[name], owner != banner.id { throw .nameTaken(name, by: owner) }
        guard banners[banner.id] != nil || banners.count < limit else { throw .tooManyBanners(limit: limit) }
        remember(banner)
        unsavedIDs.insert(banner.id)
    }

    /// The banner of this name; a new one with the next free id if there is none.
    package mutating func register(name: String) throws(Refusal) -> Banner {
        if let known = banner(named: name) { return known }
        guard highestID < Int64.max, let id = BannerID(highestID + 1) else { throw .idsExhausted }
        let banner = Banner(id: id, name: name, isRegistered: true)
        try register(banner)
        return banner
    }

    /// Forgets name, target and tags; the counts stay, and so does the id.
    /// - Returns: false when nobody had registered it.
    package mutating func unregister(_ id: BannerID) -> Bool {
        guard let known = banners[id], known.isRegistered else { return false }
        remember(Banner(id: id))
        unsavedIDs.insert(id)
        return true
    }

    /// What has to be saved, ascending by id. It stays unsaved until `markSaved`.
    package var unsaved: [Banner] { unsavedIDs.sorted().compactMap { banners[$0] } }

    /// These were saved as they are; one that has changed since stays unsaved.
    package mutating func markSaved(_ saved: [Banner]) {
        for banner in saved where banners[banner.id] == banner { unsavedIDs.remove(banner.id) }
    }

    private mutating func remember(_ banner: Banner) {
        if let name = banners[banner.id]?.name { idsByName[name] = nil }
        banners[banner.id] = banner
        if let name = banner.name { idsByName[name] = banner.id }
        highestID = max(highestID, banner.id.value)
    }
}
