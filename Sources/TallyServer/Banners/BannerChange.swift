// SPDX-License-Identifier: Apache-2.0

import Logging
import NIOCore
import TallyCore

/// What a request changed of a banner. Each is a line of the log, so that it can be found out who changed a name or a target.
struct BannerChange: Equatable, Sendable {
    /// nil when the banner was not registered.
    let before: Banner?
    let after: Banner

    /// - Returns: nil when nothing is different.
    init?(before: Banner?, after: Banner) {
        let before = before.flatMap { $0.isRegistered ? $0 : nil }
        if before == after || before == nil && !after.isRegistered { return nil }
        self.before = before
        self.after = after
    }

    func log(to logger: Logger) {
        var metadata: Logger.Metadata = ["banner": "\(after.id)"]
        // Only what is different, but of a new banner all.
        metadata.note("name", before?.name, after.name)
        metadata.note("target", before?.target, after.target)
        metadata.note("tags", before.map(BannerChange.tags), BannerChange.tags(after))
        if let client = Peer.address { metadata["client"] = "\(client.ipAddress ?? client.description)" }
        logger.notice("\(title)", metadata: metadata)
    }

    private var title: String {
        switch (before, after.isRegistered) {
        case (nil, _): "a banner was registered"
        case (_, true): "a banner was changed"
        case (_, false): "a banner was unregistered"
        }
    }

    private static func tags(_ banner: Banner) -> String { banner.tags.joined(separator: " ") }
}

extension Logger.Metadata {
    fileprivate mutating func note(_ name: String, _ before: String?, _ after: String?) {
        let (before, after) = (before ?? "", after ?? "")
        if ExactText(before) == ExactText(after) { return }
        self[name] = "\(quoted(after))"
        if !before.isEmpty { self["\(name)_before"] = "\(quoted(before))" }
    }
}
