// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Synchronization

/// The connections of a server: refuses new ones at their limit, and closes idle ones first. `ConnectionLimit` decides.
final class Connections: Sendable {
    private let limit: Mutex<ConnectionLimit>
    private let loops = Mutex<[ObjectIdentifier: NIOLoopBound<LoopConnections>]>([:])
    private let metrics: HTTPMetrics

    init(maximum: Int, metrics: HTTPMetrics) {
        limit = Mutex(ConnectionLimit(maximum: maximum))
        self.metrics = metrics
    }

    /// A connection has begun; called on its event loop.
    func began(_ channel: any Channel) -> ConnectionLimit.Verdict {
        let own = own(of: channel.eventLoop)
        let verdict = limit.withLock { limit in
            limit.began {
                guard own.closeIdle(at: channel.eventLoop.now) else { return false }
                metrics.idleConnectionsClosed.add()
                return true
            }
        }
        if verdict != .admit { metrics.connectionsRefused.add() }
        channel.closeFuture.whenComplete { [self] _ in limit.withLock { $0.ended(verdict) } }
        return verdict
    }

    /// Knows from now on when the connection is idle; called on its event loop.
    func watch(_ handler: RequestDeadlineHandler, of channel: any Channel) {
        let own = own(of: channel.eventLoop)
        own.handlers[ObjectIdentifier(handler)] = handler
        channel.closeFuture.assumeIsolated().whenComplete { _ in own.handlers[ObjectIdentifier(handler)] = nil }
    }

    private func own(of eventLoop: any EventLoop) -> LoopConnections {
        loops.withLock { loops in
            let key = ObjectIdentifier(eventLoop)
            if let known = loops[key] { return known }
            let new = NIOLoopBound(LoopConnections(), eventLoop: eventLoop)
            loops[key] = new
            return new
        }.value
    }
}

/// Those of one event loop, on which alone it is used. The loops get connections in turn, so each has its share of idle ones.
private final class LoopConnections {
    /// One that was idle for less may just be about to send a request.
    private static let shortestIdleness = TimeAmount.seconds(1)
    /// A search looks at all connections, so it finds many at once, and one in vain is not repeated at once.
    private static let candidatesPerSearch = 64
    private static let pauseAfterSearch = TimeAmount.milliseconds(100)

    var handlers: [ObjectIdentifier: RequestDeadlineHandler] = [:]
    /// The last of them has been idle for longest.
    private var candidates: [RequestDeadlineHandler] = []
    private var nextSearch = NIODeadline.distantPast

    /// Closes the connection that has been idle for longest, or one of those that were at the last search.
    /// - Returns: false when none is idle.
    func closeIdle(at now: NIODeadline) -> Bool {
        if closeCandidate(at: now) { return true }
        if now < nextSearch { return false }
        candidates = handlers.values.compactMap { handler in isIdle(handler, at: now).map { (handler, $0) } }
            .sorted { $0.1 > $1.1 }.suffix(LoopConnections.candidatesPerSearch).map(\.0)
        nextSearch = now + LoopConnections.pauseAfterSearch
        return closeCandidate(at: now)
    }

    private func closeCandidate(at now: NIODeadline) -> Bool {
        while let handler = candidates.popLast() {
            if isIdle(handler, at: now) != nil {
                handler.close()
                return true
            }
        }
        return false
    }

    /// - Returns: since when, if for long enough.
    private func isIdle(_ handler: RequestDeadlineHandler, at now: NIODeadline) -> NIODeadline? {
        handler.idleSince.flatMap { now - $0 >= LoopConnections.shortestIdleness ? $0 : nil }
    }
}
