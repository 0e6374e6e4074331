// SPDX-License-Identifier: Apache-2.0

import NIOCore
import TallyCore

/// Decides which events are no person's. One for the whole server, whichever way a request takes.
package final class TrafficJudge: Sendable {
    package struct Configuration: Equatable, Sendable {
        /// Who says of himself that he is a program is one.
        package var bots = true
        /// More events than this of one visitor on one banner within the window are no person's; nil for any number.
        package var burst: Int?
        package var burstWindow: Duration = .seconds(60)
        package var trustedProxies = TrustedProxies.none

        package init() {}
    }

    /// What a request says of its sender.
    struct Sender {
        let peer: SocketAddress?
        /// The values of the fields; empty when they are missing.
        let userAgent: UnsafeRawBufferPointer
        let forwarded: UnsafeRawBufferPointer
    }

    /// What is known of a sender for as long as he says the same.
    struct Verdict: Equatable, Sendable {
        let isBot: Bool
        /// nil where nobody asks.
        let visitor: Visitor?
    }

    private let bots: BotList?
    private let burst: BurstWatch?
    private let proxies: TrustedProxies
    private let salt = VisitorSalt()

    package init(_ configuration: Configuration = Configuration()) {
        bots = configuration.bots ? BotList.kept : nil
        burst = configuration.burst.map { BurstWatch(limit: $0, window: configuration.burstWindow) }
        proxies = configuration.trustedProxies
    }

    /// Whether a verdict depends on these; else they need not be looked at.
    var looksAtUserAgents: Bool { bots != nil || burst != nil }
    var looksAtForwarded: Bool { burst != nil && !proxies.isEmpty }

    func verdict(_ sender: Sender, at now: NIODeadline) -> Verdict {
        let isBot = bots?.contains(sender.userAgent) ?? false
        guard burst != nil else { return Verdict(isBot: isBot, visitor: nil) }
        let forwarded = looksAtForwarded ? String(decoding: sender.forwarded, as: UTF8.self) : ""
        let address = proxies.sender(sender.peer, forwarded: forwarded)
        return Verdict(isBot: isBot, visitor: salt.visitor(address, sender.userAgent, at: now))
    }

    /// Counts one event of this sender.
    /// - Returns: why it is no person's; nil when it is.
    func reason(_ verdict: Verdict, _ banner: BannerID, at now: NIODeadline) -> InvalidReason? {
        if verdict.isBot { return .bot }
        guard let burst, let visitor = verdict.visitor else { return nil }
        return burst.count(visitor, banner, at: now) ? .burst : nil
    }
}
