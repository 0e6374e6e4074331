// SPDX-License-Identifier: Apache-2.0

import TallyCore
import Testing

/// What `BannerStore` promises. Every implementation keeps every promise, starting from an empty store.
struct BannerStoreSuite {
    let store: any BannerStore

    struct Promise: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let check: @Sendable (BannerStoreSuite) async throws -> Void

        init(_ sentence: String, _ check: @escaping @Sendable (BannerStoreSuite) async throws -> Void) {
            testDescription = sentence
            self.check = check
        }
    }

    static let promises = [
        Promise("an empty store has no banner") { try await $0.anEmptyStoreHasNoBanner() },
        Promise("banners come back as they were") { try await $0.bannersComeBackAsTheyWere() },
        Promise("saving replaces by the id") { try await $0.savingReplacesByTheID() },
        Promise("a composed and a decomposed name are two") { try await $0.namesAreComparedByBytes() },
        Promise("names may change hands in one call") { try await $0.namesMayChangeHands() },
        Promise("5,000 banners can be saved at once") { try await $0.manyBannersCanBeSaved() },
    ]

    func anEmptyStoreHasNoBanner() async throws {
        #expect(try await store.banners().isEmpty)
        try await store.save([])
        #expect(try await store.banners().isEmpty)
    }

    func bannersComeBackAsTheyWere() async throws {
        let banners = [
            Banner(id: id(1)),
            Banner(
                id: id(2), name: "spring sale 🌷 \"20 %\"", target: "https://example.com/?a=1&b=2", isRegistered: true),
            Banner(
                id: id(.max), name: String(repeating: "n", count: Limits.bannerNameBytes),
                tags: ["a\\b", "ünï", "\u{1}"]),
            Banner(
                id: id(3), target: String(repeating: "t", count: Limits.bannerTargetBytes),
                tags: (0..<Limits.bannerTags).map {
                    String($0) + String(repeating: "x", count: Limits.bannerTagBytes - 2)
                },
                isRegistered: true),
        ]
        try await store.save(banners)
        #expect(try await all() == Set(banners))
    }

    func savingReplacesByTheID() async throws {
        try await store.save([
            Banner(id: id(1), name: "one", target: "https://example.com", tags: ["x"], isRegistered: true),
            Banner(id: id(2), name: "two"),
        ])
        try await store.save([Banner(id: id(1)), Banner(id: id(3), name: "one")])
        #expect(
            try await all() == [Banner(id: id(1)), Banner(id: id(2), name: "two"), Banner(id: id(3), name: "one")])
    }

    func namesAreComparedByBytes() async throws {
        let banners = [
            Banner(id: id(1), name: "caf\u{E9}", tags: ["cafe\u{301}", "caf\u{E9}"], isRegistered: true),
            Banner(id: id(2), name: "cafe\u{301}", isRegistered: true),
            // U+2126 and U+03A9 are canonically equivalent, too.
            Banner(id: id(3), name: "\u{2126}"), Banner(id: id(4), name: "\u{3A9}"),
        ]
        try await store.save(banners)
        #expect(try await all() == Set(banners))
        try await store.save([Banner(id: id(2), name: "caf\u{E8}"), Banner(id: id(1), name: "cafe\u{301}")])
        let names = try await all().filter { $0.id.value < 3 }.map { Array(($0.name ?? "").utf8) }
        #expect(Set(names) == [Array("caf\u{E8}".utf8), Array("cafe\u{301}".utf8)])
    }

    func namesMayChangeHands() async throws {
        try await store.save([Banner(id: id(1), name: "a"), Banner(id: id(2), name: "b")])
        let swapped = [Banner(id: id(1), name: "b"), Banner(id: id(2), name: "a")]
        try await store.save(swapped)
        #expect(try await all() == Set(swapped))
    }

    func manyBannersCanBeSaved() async throws {
        let banners = (1...5_000).map { Banner(id: id($0), name: "banner \($0)", tags: ["t\($0 % 7)"]) }
        try await store.save(banners)
        #expect(try await all() == Set(banners))
    }

    private func id(_ value: Int64) -> BannerID { BannerID(value)! }

    private func all() async throws -> Set<Banner> {
        let banners = try await store.banners()
        #expect(Set(banners.map(\.id)).count == banners.count)
        return Set(banners)
    }
}
