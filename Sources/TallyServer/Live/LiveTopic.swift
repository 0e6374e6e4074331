// SPDX-License-Identifier: Apache-2.0

package import TallyCore

/// What somebody watches.
package struct LiveTopic: Hashable, Sendable {
    /// Of banners in one topic.
    static let maximumBanners = 1_000

    /// Each of these by itself.
    package var banners: Set<BannerID>
    /// All banners together.
    package var sums: Bool

    package init(banners: Set<BannerID> = [], sums: Bool = true) {
        self.banners = banners
        self.sums = sums
    }
}

/// A place in a log, as the `id` of an event: `journal-12ab…@42`.
package struct LivePosition: Equatable, Sendable, CustomStringConvertible {
    package var log: LogID
    package var offset: LogOffset

    package init(log: LogID, offset: LogOffset) {
        self.log = log
        self.offset = offset
    }

    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, let log = LogID(parts[0]), let offset = Int64(parts[1]), offset >= 0 else { return nil }
        self.init(log: log, offset: LogOffset(offset))
    }

    package var description: String { "\(log)@\(offset)" }
}

/// Absolute counts that changed. To tell one twice does no harm, to tell a later one instead of it neither.
package struct LiveChanges: Equatable, Sendable {
    package struct Sum: Equatable, Sendable {
        package var kind: Kind
        package var minute: Minute
        package var count: Int64
        package var upTo: LogOffset

        package init(kind: Kind, minute: Minute, count: Int64, upTo: LogOffset) {
            self.kind = kind
            self.minute = minute
            self.count = count
            self.upTo = upTo
        }
    }

    package var rows: [Row] = []
    package var sums: [Sum] = []
    /// Every change up to here is told.
    package var upTo = LogOffset.none
    /// Rows whose last change is not behind this offset may be missing.
    package var missingUpTo = LogOffset.none

    package init() {}

    package var isEmpty: Bool { rows.isEmpty && sums.isEmpty }

    /// What of it is news to someone who watches the topic and knows all up to `offset`.
    func news(for topic: LiveTopic, after offset: LogOffset) -> LiveChanges {
        var news = self
        news.rows = rows.filter { $0.upTo > offset && topic.banners.contains($0.key.banner) }
        news.sums = topic.sums ? sums.filter { $0.upTo > offset } : []
        return news
    }
}
