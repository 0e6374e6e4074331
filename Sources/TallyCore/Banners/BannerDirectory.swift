// SPDX-License-Identifier: Apache-2.0

/// Which banners there are, who is let in, and what they are called. No I/O: the owner saves what `unsaved` returns.
package struct BannerDirectory {
    private var known = BannerSet()
    /// Those that somebody registered.
    private var registered: [BannerID: Banner] = [:]
    /// All known ids in their order; nil until they are asked for.
    private var sorted: SortedIDs?
    private var idsByName: [ExactText: BannerID] = [:]
    /// Of those that were registered. One that was only seen could be any number, and takes none away.
    private var highestRegistered: Int64 = 0
    /// No id below it is free.
    private var lowestFree: Int64 = 1
    private var unsavedIDs: Set<BannerID> = []
    /// Those of them that nobody has registered or unregistered here.
    private var onlySeenIDs: Set<BannerID> = []
    private let limit: Int
    /// Names, targets and tags of those that are registered, in bytes of UTF-8.
    private var textBytes = 0
    private let textLimit: Int
    private let onlyRegistered: Bool
    /// The store has told which banners there are; before that, only those are known that were seen since the start.
    package private(set) var isComplete: Bool

    /// - Parameters:
    ///   - banners: the store's; nil when it is away, until `complete`.
    ///   - limit: how many banners events may bring, and, beside them, how many may be registered: strangers can send events of
    ///     any banner, and must not take the room of those that are registered.
    ///   - textLimit: of the names, targets and tags of all banners, in bytes of UTF-8.
    ///   - onlyRegistered: refuse events of banners that nobody registered.
    package init(
        banners: [Banner]? = [], limit: Int = 1_000_000, textLimit: Int = .max, onlyRegistered: Bool = false
    ) {
        self.limit = limit
        self.textLimit = textLimit
        self.onlyRegistered = onlyRegistered
        isComplete = banners != nil
        for banner in banners ?? [] { remember(banner) }
    }

    /// The store is back. Whatever it has of a banner is more than that it was seen since.
    package mutating func complete(with stored: [Banner]) {
        precondition(!isComplete, "it is completed once")
        isComplete = true
        for banner in stored {
            remember(banner)
            unsavedIDs.remove(banner.id)
            onlySeenIDs.remove(banner.id)
        }
    }

    /// What others have saved since. What was changed here and is not saved yet stays; what was only seen here does not.
    /// - Returns: whether a banner is no longer registered that was.
    package mutating func refresh(with stored: [Banner]) -> Bool {
        guard isComplete else {
            complete(with: stored)
            return false
        }
        var isWithdrawn = false
        for banner in stored where !unsavedIDs.contains(banner.id) || onlySeenIDs.contains(banner.id) {
            unsavedIDs.remove(banner.id)
            onlySeenIDs.remove(banner.id)
            guard self[banner.id] != banner else { continue }
            if registered[banner.id] != nil, !banner.isRegistered { isWithdrawn = true }
            remember(banner)
        }
        return isWithdrawn
    }

    /// Something is unsaved that was only seen: another server may know more of it.
    package var hasOnlySeen: Bool { !onlySeenIDs.isEmpty }

    package enum Refusal: Error, Equatable, Sendable {
        case unknownBanner(BannerID)
        case tooManyBanners(limit: Int)
        case tooMuchText(limit: Int)
        case nameTaken(String, by: BannerID)
        case idsExhausted
        /// The store has not yet told which banners are registered.
        case storeAway
    }

    package var count: Int { known.count }

    package subscript(id: BannerID) -> Banner? { registered[id] ?? (known.contains(id) ? Banner(id: id) : nil) }

    package func banner(named name: String) -> Banner? { idsByName[ExactText(name)].flatMap { registered[$0] } }

    /// In the order of their ids, beginning behind `id`.
    package mutating func banners(after id: BannerID?, limit: Int) -> [Banner] {
        sortedIDs { $0.elements(after: id, limit: limit) }.compactMap { self[$0] }
    }

    /// Divides all possible ids into ranges, each with at most this many known ones.
    package mutating func idRanges(of count: Int) -> [ClosedRange<BannerID>] { sortedIDs { $0.ranges(of: count) } }

    private mutating func sortedIDs<Value>(_ body: (inout SortedIDs) -> Value) -> Value {
        var ids = sorted.take() ?? SortedIDs(sorted: known.sorted)
        defer { sorted = ids }
        return body(&ids)
    }

    /// Lets an event of this banner in, but remembers nothing: `note` does, once it is going to be counted.
    /// - Parameter others: how many new banners come with it.
    /// - Returns: whether the banner is new.
    package func admit(_ id: BannerID, with others: Int = 0) throws(Refusal) -> Bool {
        if onlyRegistered {
            guard isComplete else { throw .storeAway }
            guard registered[id] != nil else { throw .unknownBanner(id) }
            return false
        }
        if known.contains(id) { return false }
        guard known.count - registered.count + others < limit else { throw .tooManyBanners(limit: limit) }
        return true
    }

    /// Whether there is room for all of these; those that are known need none.
    package func hasRoom(for ids: Set<BannerID>) -> Bool {
        known.count - registered.count + ids.count(where: { !known.contains($0) }) <= limit
    }

    /// The log holds an event of this banner, or soon will: it is known from now on, whatever the limit says.
    package mutating func note(_ id: BannerID) {
        guard !known.contains(id) else { return }
        remember(Banner(id: id))
        unsavedIDs.insert(id)
        onlySeenIDs.insert(id)
    }

    /// Registers the banner, or replaces what was registered.
    package mutating func register(_ banner: Banner) throws(Refusal) {
        precondition(banner.isRegistered, "what is registered says so")
        guard isComplete else { throw .storeAway }
        if let name = banner.name, let owner = idsByName[ExactText(name)], owner != banner.id {
            throw .nameTaken(name, by: owner)
        }
        let registeredBefore = registered[banner.id]
        guard registeredBefore != nil || registered.count < limit else { throw .tooManyBanners(limit: limit) }
        let growth = banner.textBytes - (registeredBefore?.textBytes ?? 0)
        guard growth <= 0 || textBytes + growth <= textLimit else { throw .tooMuchText(limit: textLimit) }
        remember(banner)
        unsavedIDs.insert(banner.id)
        onlySeenIDs.remove(banner.id)
    }

    /// The banner of this name; if there is none, a new one with the first free id above all that are registered, up to the
    /// highest that every JSON reader keeps exact, and else with the lowest free id.
    package mutating func register(name: String) throws(Refusal) -> Banner {
        guard isComplete else { throw .storeAway }
        if let known = banner(named: name) { return known }
        let banner = Banner(id: try nextID(), name: name, isRegistered: true)
        try register(banner)
        return banner
    }

    private mutating func nextID() throws(Refusal) -> BannerID {
        var next = highestRegistered
        while next < BannerDirectory.highestAssigned {
            next += 1
            if let id = BannerID(next), !known.contains(id) { return id }
        }
        while lowestFree <= BannerDirectory.highestAssigned {
            if let id = BannerID(lowestFree), !known.contains(id) { return id }
            lowestFree += 1
        }
        throw .idsExhausted
    }

    /// 2^53 - 1: beyond it, a reader of JSON that keeps numbers as IEEE 754 doubles loses the last digits (RFC 8259, section 6).
    private static let highestAssigned: Int64 = (1 << 53) - 1

    /// Forgets name, target and tags; the counts stay, and so does the id.
    /// - Returns: false when nobody had registered it.
    package mutating func unregister(_ id: BannerID) throws(Refusal) -> Bool {
        guard isComplete else { throw .storeAway }
        guard registered[id] != nil else { return false }
        remember(Banner(id: id))
        unsavedIDs.insert(id)
        onlySeenIDs.remove(id)
        return true
    }

    /// What has to be saved, ascending by id. It stays unsaved until `markSaved`. Nothing before the store has told what it has,
    /// which must not be overwritten.
    package var unsaved: [Banner] { !isComplete ? [] : unsavedIDs.sorted().compactMap { self[$0] } }

    /// These were saved as they are; one that is different by now has to be saved again, whatever was saved in between.
    package mutating func markSaved(_ saved: [Banner]) {
        for banner in saved {
            onlySeenIDs.remove(banner.id)
            if self[banner.id] == banner { unsavedIDs.remove(banner.id) } else { unsavedIDs.insert(banner.id) }
        }
    }

    private mutating func remember(_ banner: Banner) {
        if known.insert(banner.id) { sorted?.insert(banner.id) }
        // Another may have it by now.
        if let name = registered[banner.id]?.name.map({ ExactText($0) }), idsByName[name] == banner.id {
            idsByName[name] = nil
        }
        textBytes -= registered[banner.id]?.textBytes ?? 0
        registered[banner.id] = banner.isRegistered ? banner : nil
        textBytes += registered[banner.id]?.textBytes ?? 0
        guard banner.isRegistered else { return }
        if let name = banner.name { idsByName[ExactText(name)] = banner.id }
        highestRegistered = max(highestRegistered, banner.id.value)
    }
}

extension Banner {
    fileprivate var textBytes: Int {
        (name?.utf8.count ?? 0) + (target?.utf8.count ?? 0) + tags.reduce(0) { $0 + $1.utf8.count }
    }
}
