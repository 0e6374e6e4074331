// SPDX-License-Identifier: Apache-2.0

/// Tells by the `User-Agent` which clients are crawlers, monitors and previews of links: `crawlers.txt`, a list that others keep.
/// `BotList` has what Tally knows besides.
struct CrawlerList: Sendable {
    static let kept = CrawlerList(String(decoding: PackageResources.crawlers_txt, as: UTF8.self))

    private let matcher: TextMatcher

    /// - Parameter text: as `crawlers.txt` explains it.
    init(_ text: String) {
        let lines = text.split(separator: "\n").filter { !$0.hasPrefix("#") }
        matcher = TextMatcher(lines.map { String($0.prefix { $0 != "\t" }) })
    }

    func contains(_ userAgent: UnsafeRawBufferPointer) -> Bool { matcher.matches(userAgent) }

    var byteCount: Int { matcher.byteCount }
}
