// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Synchronization
import TallyCore

/// What an event is: invalid for a reason, or a visitor's as far as anybody asks.
struct Judgement: Equatable, Sendable {
    var invalid: InvalidReason?
    var visitor: Sighting.Mark?
}

/// Decides which events are no person's, and tells the visitors of the others apart. One for the whole server, whichever way
/// a request takes.
package final class TrafficJudge: Sendable {
    package struct Configuration: Equatable, Sendable {
        /// Who says of himself that he is a program is one.
        package var bots = true
        /// More events than this of one visitor on one banner within the window are no person's; nil for any number.
        package var burst: Int?
        package var burstWindow: Duration = .seconds(60)
        package var trustedProxies = TrustedProxies.none
        /// Where they say which address a request comes from.
        package var addressField = ClientAddressField.forwardedFor
        /// Whether unique visitors are counted.
        package var visitors = false

        package init() {}
    }

    /// What a request says of its sender.
    struct Sender {
        let peer: SocketAddress?
        /// The values of the fields; empty when they are missing.
        let userAgent: UnsafeRawBufferPointer
        /// Of `addressField`.
        let forwarded: UnsafeRawBufferPointer
    }

    /// What is known of a sender for as long as he says the same.
    struct Verdict: Equatable, Sendable {
        let isBot: Bool
        /// nil where nobody asks.
        let visitor: Visitor?
    }

    private let looksForBots: Bool
    private let operatorList = Mutex<OperatorBotList?>(nil)
    private let operatorLists = Atomic<Int>(0)
    private let burst: BurstWatch?
    private let proxies: TrustedProxies
    let addressField: ClientAddressField
    private let countsVisitors: Bool
    private let salt = VisitorSalt()
    /// Of those that no lane has: what a lane remembers, it remembers itself.
    private let committed = Mutex(RecentSightings(seed: .random(in: 0 ... .max)))

    package init(_ configuration: Configuration = Configuration()) {
        looksForBots = configuration.bots
        if looksForBots { _ = CrawlerList.kept }  // Its table is made now, and not while the first request waits.
        burst = configuration.burst.map { BurstWatch(limit: $0, window: configuration.burstWindow) }
        proxies = configuration.trustedProxies
        addressField = configuration.addressField
        countsVisitors = configuration.visitors
    }

    private var tellsVisitors: Bool { burst != nil || countsVisitors }
    /// Whether a verdict depends on these; else they need not be looked at.
    var looksAtUserAgents: Bool { looksForBots || tellsVisitors }
    var looksAtForwarded: Bool { tellsVisitors && !proxies.isEmpty }

    /// - Parameter day: of the sender's events, for which alone it is the same visitor.
    func verdict(_ sender: Sender, on day: Day) -> Verdict {
        let isBot = looksForBots && isBot(sender.userAgent)
        guard tellsVisitors else { return Verdict(isBot: isBot, visitor: nil) }
        let forwarded = looksAtForwarded ? String(decoding: sender.forwarded, as: UTF8.self) : ""
        let address = proxies.sender(sender.peer, addresses: addressField.addresses(in: forwarded))
        return Verdict(isBot: isBot, visitor: salt.visitor(address, sender.userAgent, on: day))
    }

    private func isBot(_ userAgent: UnsafeRawBufferPointer) -> Bool {
        if let isBot = operatorList.withLock({ $0 })?.isBot(userAgent) { return isBot }
        return BotList.kept.contains(userAgent) || CrawlerList.kept.contains(userAgent)
    }

    /// What the operator says of bots, instead of what was said before.
    package func use(_ list: OperatorBotList) {
        operatorList.withLock { $0 = list }
        operatorLists.add(1, ordering: .releasing)
    }

    /// Another one since the operator's list is another: verdicts of before may be wrong.
    var generation: Int { operatorLists.load(ordering: .acquiring) }

    /// Counts one event of this sender.
    func judge(_ verdict: Verdict, _ banner: BannerID, at now: NIODeadline) -> Judgement {
        if verdict.isBot { return Judgement(invalid: .bot) }
        guard let visitor = verdict.visitor else { return Judgement() }
        if let burst, burst.count(visitor, banner, at: now) { return Judgement(invalid: .burst) }
        return Judgement(visitor: countsVisitors ? Sighting.Mark(bits: visitor.bits(at: banner)) : nil)
    }

    /// Whether the log has this already, so that it need not be told again.
    func isCommitted(_ sighting: Sighting) -> Bool { committed.withLock { $0.contains(sighting) } }

    /// This is in the log.
    func didCommit(_ sighting: Sighting) { committed.withLock { $0.insert(sighting) } }
}
