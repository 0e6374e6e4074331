// SPDX-License-Identifier: Apache-2.0

import TallyCore
import Testing

@Suite struct BannerDirectoryTests {
    private func id(_ value: Int64) -> BannerID { BannerID(value)! }

    @Test func newBannersAreAdmittedUpToTheLimitAndKnownOnesAlways() throws {
        var directory = BannerDirectory(limit: 2)
        #expect(try directory.admit(id(1), with: 1))
        #expect(throws: BannerDirectory.Refusal.tooManyBanners(limit: 2)) { try directory.admit(self.id(3), with: 2) }
        #expect(directory.count == 0, "nothing is remembered before it is noted")
        directory.note(id(1))
        #expect(directory.hasRoom(for: [id(1), id(2)]))
        #expect(!directory.hasRoom(for: [id(2), id(3)]))
        directory.note(id(2))
        #expect(throws: BannerDirectory.Refusal.tooManyBanners(limit: 2)) { try directory.admit(self.id(3)) }
        #expect(try !directory.admit(id(1)))
    }

    @Test func bannersOfEventsTakeNoRoomOfRegisteredOnes() throws {
        var directory = BannerDirectory(limit: 2)
        for value in Int64(1)...2 { directory.note(id(value)) }
        // A banner that was only seen, and a new one.
        try directory.register(Banner(id: id(1), isRegistered: true))
        _ = try directory.register(name: "/a")
        #expect(throws: BannerDirectory.Refusal.tooManyBanners(limit: 2)) { try directory.register(name: "/b") }
        // Registered ones take no room of others either.
        #expect(try directory.admit(id(9)))
        directory.note(id(9))
        #expect(throws: BannerDirectory.Refusal.tooManyBanners(limit: 2)) { try directory.admit(self.id(10)) }
        let wasRegistered = try directory.unregister(id(1))
        let next = try directory.register(name: "/b")
        #expect(wasRegistered && next.name == "/b")
    }

    @Test func textsAreBoundedTogether() throws {
        var directory = BannerDirectory(
            banners: [Banner(id: id(1), name: "12345", target: "t", tags: ["ab"], isRegistered: true)], textLimit: 10)
        #expect(throws: BannerDirectory.Refusal.tooMuchText(limit: 10)) { try directory.register(name: "abc") }
        _ = try directory.register(name: "é")
        // What replaces more than it brings always fits.
        try directory.register(Banner(id: id(1), name: "1234567", isRegistered: true))
        #expect(throws: BannerDirectory.Refusal.tooMuchText(limit: 10)) {
            try directory.register(Banner(id: self.id(5), tags: ["xy"], isRegistered: true))
        }
        _ = try directory.unregister(id(1))
        try directory.register(Banner(id: id(5), tags: ["12345678"], isRegistered: true))
    }

    @Test func namesAreComparedByTheirBytes() throws {
        var directory = BannerDirectory()
        let composed = try directory.register(name: "/caf\u{E9}")
        let decomposed = try directory.register(name: "/cafe\u{301}")
        #expect(composed.id == id(1))
        #expect(decomposed.id == id(2))
        #expect(directory.banner(named: "/caf\u{E9}")?.id == id(1))
        #expect(directory.banner(named: "/cafe\u{301}")?.id == id(2))
        #expect(throws: BannerDirectory.Refusal.nameTaken("/cafe\u{301}", by: id(2))) {
            try directory.register(Banner(id: self.id(3), name: "/cafe\u{301}", isRegistered: true))
        }
        #expect(try directory.unregister(id(1)))
        #expect(directory.banner(named: "/cafe\u{301}")?.id == id(2), "the other name stays")
    }

    @Test func aNameThatWasOnlyNormalisedHasToBeSaved() throws {
        var directory = BannerDirectory()
        try directory.register(Banner(id: id(1), name: "/caf\u{E9}", isRegistered: true))
        let saved = directory.unsaved
        try directory.register(Banner(id: id(1), name: "/cafe\u{301}", isRegistered: true))
        directory.markSaved(saved)
        #expect(directory.unsaved.map { $0.name.map { Array($0.utf8) } } == [Array("/cafe\u{301}".utf8)])
        directory.markSaved(directory.unsaved)
        let stored = Banner(id: id(1), name: "/caf\u{E9}", isRegistered: true)
        #expect(directory.refresh(with: [stored]) == false)
        #expect(directory[id(1)] == stored, "another server wrote the name otherwise")
    }

    @Test func whatTheLogHoldsIsKnownWhateverTheLimitSays() {
        var directory = BannerDirectory(limit: 1)
        directory.note(id(1))
        directory.note(id(2))
        #expect(directory.count == 2)
        #expect(directory.unsaved.map(\.id) == [id(1), id(2)])
    }

    @Test func withoutTheStoreOnlyWhatWasSeenIsKnownAndNothingIsSaved() throws {
        var directory = BannerDirectory(banners: nil, limit: 10)
        #expect(try directory.admit(id(1)))
        for value in Int64(1)...3 { directory.note(id(value)) }
        #expect(directory.unsaved.isEmpty, "a name that the store has must not be overwritten")
        #expect(throws: BannerDirectory.Refusal.storeAway) { try directory.register(name: "a") }
        #expect(throws: BannerDirectory.Refusal.storeAway) {
            try directory.register(Banner(id: self.id(1), isRegistered: true))
        }
        #expect(throws: BannerDirectory.Refusal.storeAway) { try directory.unregister(self.id(1)) }
        let stored = [Banner(id: id(1), name: "one", isRegistered: true), Banner(id: id(2)), Banner(id: id(9))]
        directory.complete(with: stored)
        #expect(directory[id(1)] == stored[0])
        #expect(directory.count == 4)
        #expect(directory.unsaved == [Banner(id: id(3))])
        #expect(try directory.register(name: "two").id == id(4))
    }

    @Test func withoutTheStoreNobodyKnowsWhoIsRegistered() throws {
        var directory = BannerDirectory(banners: nil, onlyRegistered: true)
        #expect(throws: BannerDirectory.Refusal.storeAway) { try directory.admit(self.id(1)) }
        directory.complete(with: [Banner(id: id(1), isRegistered: true)])
        #expect(try !directory.admit(id(1)))
        #expect(throws: BannerDirectory.Refusal.unknownBanner(id(2))) { try directory.admit(self.id(2)) }
    }

    @Test func onlyRegisteredBannersAreAdmittedWhereThatIsAsked() throws {
        var directory = BannerDirectory(onlyRegistered: true)
        directory.note(id(5))
        #expect(throws: BannerDirectory.Refusal.unknownBanner(id(5))) { try directory.admit(self.id(5)) }
        try directory.register(Banner(id: id(5), name: "five", isRegistered: true))
        #expect(try !directory.admit(id(5)))
    }

    @Test func aNameBelongsToOneBannerAndIsFreeAgainAfterwards() throws {
        var directory = BannerDirectory()
        try directory.register(Banner(id: id(1), name: "a", isRegistered: true))
        #expect(throws: BannerDirectory.Refusal.nameTaken("a", by: id(1))) {
            try directory.register(Banner(id: self.id(2), name: "a", isRegistered: true))
        }
        let removed = try directory.unregister(id(1))
        #expect(removed)
        try directory.register(Banner(id: id(2), name: "a", isRegistered: true))
        #expect(directory.banner(named: "a")?.id == id(2))
        #expect(directory[id(1)] == Banner(id: id(1)))
        let removedAgain = try directory.unregister(id(1))
        #expect(!removedAgain)
    }

    @Test func aNewNameTakesTheNextFreeIDAndKeepsIt() throws {
        let registered = Banner(id: id(7), isRegistered: true)
        var directory = BannerDirectory(banners: [registered, Banner(id: id(9))])
        let ids = try ["/a", "/b", "/a"].map { name in try directory.register(name: name).id }
        #expect(ids == [id(8), id(10), id(8)])
    }

    @Test func aHugeIDLeavesIDsForNames() throws {
        var directory = BannerDirectory(banners: [Banner(id: id(1)), Banner(id: id(3), isRegistered: true)])
        try directory.register(Banner(id: id((1 << 53) - 2), name: "huge", isRegistered: true))
        // The last that every JSON reader keeps exact, and then the lowest that are free.
        let ids = try ["/a", "/b", "/c", "/a"].map { name in try directory.register(name: name).id.value }
        #expect(ids == [(1 << 53) - 1, 2, 4, (1 << 53) - 1])
        var full = BannerDirectory(banners: [Banner(id: id(.max), name: "last", isRegistered: true)])
        let others = try ["/a", "last", "/b"].map { name in try full.register(name: name).id }
        #expect(others == [id(1), id(.max), id(2)])
    }

    @Test func whatOthersHaveSavedIsHeardOfAndWhatIsUnsavedHereStays() throws {
        var directory = BannerDirectory(
            banners: [
                Banner(id: id(1), name: "a", isRegistered: true), Banner(id: id(2), name: "b", isRegistered: true),
            ],
            onlyRegistered: true)
        try directory.register(Banner(id: id(3), name: "mine", isRegistered: true))
        let isWithdrawn = directory.refresh(with: [
            // They have changed names.
            Banner(id: id(2), name: "a", isRegistered: true), Banner(id: id(1), name: "b", isRegistered: true),
            Banner(id: id(3), name: "older", isRegistered: true), Banner(id: id(4), name: "new", isRegistered: true),
        ])
        #expect(!isWithdrawn)
        #expect(directory.banner(named: "a")?.id == id(2))
        #expect(directory.banner(named: "b")?.id == id(1))
        #expect(directory[id(3)]?.name == "mine")
        let isNew = try directory.admit(id(4))
        #expect(!isNew)
        let isGone = directory.refresh(with: [Banner(id: id(4))])
        #expect(isGone)
        #expect(throws: BannerDirectory.Refusal.unknownBanner(id(4))) { try directory.admit(self.id(4)) }
        var incomplete = BannerDirectory(banners: nil, onlyRegistered: true)
        let isFirst = incomplete.refresh(with: [Banner(id: id(1), isRegistered: true)])
        #expect(!isFirst)
        #expect(incomplete.count == 1)
    }

    @Test func aBannerThatWasOnlySeenTakesNoIDsAway() throws {
        var directory = BannerDirectory()
        directory.note(id(.max))
        directory.note(id(1))
        #expect(try directory.register(name: "/a").id == id(2))
    }

    @Test func anIDThatWasRegisteredOnceIsNotGivenOutAgain() throws {
        var directory = BannerDirectory()
        let first = try directory.register(name: "/a").id
        _ = try directory.unregister(first)
        #expect(try directory.register(name: "/b").id == id(2))
    }

    @Test func aBannerThatChangedWhileItWasSavedIsSavedAgain() throws {
        var directory = BannerDirectory()
        try directory.register(Banner(id: id(1), name: "old", isRegistered: true))
        let old = directory.unsaved
        try directory.register(Banner(id: id(1), name: "new", isRegistered: true))
        directory.markSaved(directory.unsaved)
        #expect(directory.unsaved.isEmpty)
        directory.markSaved(old)
        #expect(directory.unsaved.map(\.name) == ["new"])
    }

    @Test func whatAnotherServerHasSavedIsLearntButNotInPlaceOfAChangeOfOnesOwn() throws {
        var directory = BannerDirectory()
        directory.note(id(1))
        directory.note(id(2))
        try directory.register(Banner(id: id(3), name: "mine", isRegistered: true))
        #expect(directory.hasOnlySeen)
        _ = directory.refresh(with: [
            Banner(id: id(1), name: "theirs", isRegistered: true), Banner(id: id(3), name: "old", isRegistered: true),
            Banner(id: id(4), name: "new", isRegistered: true),
        ])
        #expect(directory[id(1)]?.name == "theirs")
        #expect(directory[id(3)]?.name == "mine")
        #expect(directory.banner(named: "new")?.id == id(4))
        #expect(directory.unsaved.map(\.id) == [id(2), id(3)])
        directory.markSaved(directory.unsaved)
        #expect(!directory.hasOnlySeen)
        _ = try directory.unregister(id(4))
        _ = directory.refresh(with: [Banner(id: id(4), name: "new", isRegistered: true)])
        #expect(directory[id(4)]?.isRegistered == false, "it was unregistered here, and that is not saved yet")
    }

    @Test func pagesFollowEachOtherInTheOrderOfIDs() {
        var directory = BannerDirectory(banners: [9, 2, 5, 7].map { Banner(id: id($0)) })
        #expect(directory.banners(after: nil, limit: 2).map(\.id.value) == [2, 5])
        #expect(directory.banners(after: id(5), limit: 2).map(\.id.value) == [7, 9])
        #expect(directory.banners(after: id(6), limit: 1).map(\.id.value) == [7])
        #expect(directory.banners(after: id(9), limit: 2).isEmpty)
        directory.note(id(1))
        #expect(directory.banners(after: nil, limit: 1).map(\.id.value) == [1])
    }
}
