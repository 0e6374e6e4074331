// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// Finds banners by what a person types: the beginning of an id, or a part of the name, whatever its case.
struct BannerSearch: Sendable {
    private let text: String
    private let isNumber: Bool

    init(_ text: String) {
        self.text = text.lowercased()
        isNumber = text.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }

    func finds(_ banner: Banner) -> Bool {
        if isNumber, String(banner.id.value).hasPrefix(text) { return true }
        return banner.name?.lowercased().contains(text) ?? false
    }
}

extension CountingService {
    /// So many banners one request looks through: a page may be shorter than asked for, and leads on all the same.
    private static var mostLookedThrough: Int { 200_000 }
    /// So many at a time, since events of new banners wait meanwhile.
    private static var piece: Int { 2_000 }

    /// - Returns: the banners ascending by id, and behind which id the next page begins; nil when there is none.
    func page(of search: BannerSearch?, after: BannerID?, limit: Int) -> (banners: [Banner], next: BannerID?) {
        guard let search else {
            // One more than asked for tells whether there is a next page.
            let found = banners(after: after, limit: limit + 1)
            return (Array(found.prefix(limit)), found.count > limit ? found[limit - 1].id : nil)
        }
        var last = after
        var found: [Banner] = []
        for _ in 0..<Self.mostLookedThrough / Self.piece {
            let piece = banners(after: last, limit: Self.piece)
            for banner in piece where search.finds(banner) {
                found.append(banner)
                if found.count == limit { return (found, banner.id) }
            }
            guard piece.count == Self.piece else { return (found, nil) }
            last = piece.last?.id
        }
        return (found, last)
    }
}
