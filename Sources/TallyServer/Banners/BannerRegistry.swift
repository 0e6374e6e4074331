// SPDX-License-Identifier: Apache-2.0

package import Logging
import Synchronization
package import TallyCore

/// The directory of banners, shared, and saved to the store: registrations at once, banners that were only seen with the
/// next flush.
package final class BannerRegistry: Sendable {
    private let directory: Mutex<BannerDirectory>
    private let store: any BannerStore
    private let saving = Turns()
    /// Other servers save banners, too.
    private let sharing = Atomic<Bool>(false)
    /// How often a banner was unregistered, whose events may be refused from then on.
    let withdrawals = Counter()

    private let logger: Logger?

    /// - Parameter logger: is told of each change that a request makes; nil for none.
    package init(directory: BannerDirectory, store: any BannerStore, logger: Logger? = nil) {
        self.directory = Mutex(directory)
        self.store = store
        self.logger = logger
    }

    /// With what the store has; when it is away, without.
    package static func open(
        _ store: any BannerStore, _ configuration: CountingNode.Configuration, logger: Logger? = nil
    ) async -> BannerRegistry {
        let directory = BannerDirectory(
            banners: try? await store.banners(), limit: configuration.bannersLimit,
            textLimit: configuration.bannerTextLimit,
            onlyRegistered: configuration.onlyRegisteredBanners)
        return BannerRegistry(directory: directory, store: store, logger: logger)
    }

    /// From now on other servers save banners, too.
    func share() { sharing.store(true, ordering: .relaxed) }

    var isShared: Bool { sharing.load(ordering: .relaxed) }

    package var count: Int { directory.withLock { $0.count } }

    package func banner(_ id: BannerID) -> Banner? { directory.withLock { $0[id] } }

    /// In the order of their ids, beginning behind `after`.
    package func banners(after: BannerID?, limit: Int) -> [Banner] {
        directory.withLock { $0.banners(after: after, limit: limit) }
    }

    /// Divides all possible ids into ranges, each with at most this many known ones.
    package func idRanges(of count: Int) -> [ClosedRange<BannerID>] {
        directory.withLock { $0.idRanges(of: count) }
    }

    /// - Returns: whether the banner is new.
    func admit(_ id: BannerID, with others: Int) throws(BannerDirectory.Refusal) -> Bool {
        let result = directory.withLock { directory -> Result<Bool, BannerDirectory.Refusal> in
            do throws(BannerDirectory.Refusal) {
                return .success(try directory.admit(id, with: others))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    func hasRoom(for ids: Set<BannerID>) -> Bool { directory.withLock { $0.hasRoom(for: ids) } }

    func note(_ ids: some Collection<BannerID>) {
        if ids.isEmpty { return }
        directory.withLock { directory in for id in ids { directory.note(id) } }
    }

    package func register(_ banner: Banner) async throws(RegistrationError) -> Banner {
        try await change { directory, changes throws(BannerDirectory.Refusal) in
            let before = directory[banner.id]
            try directory.register(banner)
            changes.add(before, banner)
            return banner
        }
    }

    /// The banners of these names, in this order; new names get new banners.
    package func register(names: [String]) async throws(RegistrationError) -> [Banner] {
        try await change { directory, changes throws(BannerDirectory.Refusal) in
            var banners: [Banner] = []
            for name in names {
                let before = directory.banner(named: name)
                let banner = try directory.register(name: name)
                changes.add(before, banner)
                banners.append(banner)
            }
            return banners
        }
    }

    /// - Returns: false when nobody had registered it.
    package func unregister(_ id: BannerID) async throws(RegistrationError) -> Bool {
        try await change { directory, changes throws(BannerDirectory.Refusal) in
            withdrawals.add()
            let before = directory[id]
            let wasRegistered = try directory.unregister(id)
            changes.add(before, Banner(id: id))
            return wasRegistered
        }
    }

    private func change<Value: Sendable>(
        _ body: (inout BannerDirectory, inout [BannerChange]) throws(BannerDirectory.Refusal) -> Value
    ) async throws(RegistrationError) -> Value {
        // Another server may have given the name, or the next free id, since the store was asked last.
        if isShared {
            do throws(StoreError) { try await refresh() } catch { throw .unavailable(error.description) }
        }
        let (result, changes) = directory.withLock { directory -> (Result<Value, RegistrationError>, [BannerChange]) in
            var changes: [BannerChange] = []
            do throws(BannerDirectory.Refusal) {
                return (.success(try body(&directory, &changes)), changes)
            } catch {
                return (.failure(RegistrationError(error)), changes)
            }
        }
        // Of several names, those before one that is refused are registered, too.
        if let logger { for change in changes { change.log(to: logger) } }
        let value = try result.get()
        do throws(StoreError) { try await saveUnsaved() } catch { throw .unavailable(error.description) }
        return value
    }

    /// Asks the store for its banners, when it was away at the start.
    func completeFromStore() async throws(StoreError) {
        if directory.withLock({ $0.isComplete }) { return }
        let stored = try await store.banners()
        directory.withLock { if !$0.isComplete { $0.complete(with: stored) } }
    }

    /// Asks the store what other servers have registered.
    func refresh() async throws(StoreError) {
        await saving.begin()
        defer { saving.end() }
        try await read()
    }

    /// Only while nothing is saved, so that nothing that is newer here is taken for older.
    private func read() async throws(StoreError) {
        let stored = try await store.banners()
        if directory.withLock({ $0.refresh(with: stored) }) { withdrawals.add() }
    }

    /// One save at a time, each of what is unsaved when its turn comes: no older banner is written last, and who waited
    /// behind a save that took his banners along has nothing left to do.
    func saveUnsaved() async throws(StoreError) {
        await saving.begin()
        defer { saving.end() }
        // What was only seen here must not replace what another server has registered.
        if isShared, directory.withLock({ $0.hasOnlySeen }) { try await read() }
        let unsaved = directory.withLock { $0.unsaved }
        if unsaved.isEmpty { return }
        try await store.save(unsaved)
        directory.withLock { $0.markSaved(unsaved) }
    }
}

extension RegistrationError {
    fileprivate init(_ refusal: BannerDirectory.Refusal) {
        switch refusal {
        case .nameTaken(let name, let owner): self = .nameTaken(name, by: owner)
        case .tooManyBanners(let limit): self = .tooManyBanners(limit: limit)
        case .tooMuchText(let limit): self = .tooMuchText(limit: limit)
        case .idsExhausted: self = .idsExhausted
        case .storeAway:
            self = .unavailable("the store was away at the start, and has not yet told which banners there are")
        case .unknownBanner: preconditionFailure("registering never asks for a registered banner")
        }
    }
}

extension [BannerChange] {
    fileprivate mutating func add(_ before: Banner?, _ after: Banner) {
        if let change = BannerChange(before: before, after: after) { append(change) }
    }
}
