// SPDX-License-Identifier: Apache-2.0

/// The answer for one banner, kind and minute: the sum over all logs.
package struct MinuteCount: Hashable, Sendable {
    package var banner: BannerID
    package var kind: Kind
    package var minute: Minute
    /// At least 1.
    package var count: Int64

    package init(banner: BannerID, kind: Kind, minute: Minute, count: Int64) {
        self.banner = banner
        self.kind = kind
        self.minute = minute
        self.count = count
    }
}

extension MinuteCount: Comparable {
    /// By (banner, kind, minute).
    package static func < (left: MinuteCount, right: MinuteCount) -> Bool {
        if left.banner != right.banner { return left.banner < right.banner }
        if left.kind != right.kind { return left.kind < right.kind }
        return left.minute < right.minute
    }
}
