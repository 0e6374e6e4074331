// SPDX-License-Identifier: Apache-2.0

import NIOCore
import ServiceLifecycle
import Synchronization
package import TallyCore

/// Tells everybody who watches what changed, once a second. What a second brought is read once, and written down once for
/// all who watch the same and know the same.
package final class LiveHub: Service {
    private struct State {
        var desk: LiveDesk
        var mailboxes: [LiveDesk.WatcherID: LiveMailbox] = [:]
    }

    /// Somebody who watches.
    package struct Watcher: Sendable {
        let id: LiveDesk.WatcherID
        let mailbox: LiveMailbox
    }

    private let source: any LiveSource
    private let state: Mutex<State>

    package init(source: any LiveSource, limit: Int = 10_000) {
        self.source = source
        self.state = Mutex(State(desk: LiveDesk(limit: limit)))
    }

    /// How many watch.
    package var count: Int { state.withLock { $0.desk.count } }
    package var hasRoom: Bool { state.withLock { $0.desk.hasRoom } }

    // MARK: For a connection

    /// What a client is told first, and up to where it knows then: nothing when it goes on where it was, else the state.
    ///
    /// - Parameter position: the last that it was told; from there it goes on, when the place is one of this log.
    func beginning(
        of topic: LiveTopic, after position: LivePosition?
    ) async throws(StoreError) -> (text: ByteBuffer, upTo: LogOffset) {
        guard let position, position.log == source.log, position.offset <= source.position else {
            return try await stateText(of: topic)
        }
        try await source.prepare(topic)
        return (LiveText.heartbeat, position.offset)
    }

    /// The counts of the last hour, written down, and up to where they are told.
    func stateText(of topic: LiveTopic) async throws(StoreError) -> (text: ByteBuffer, upTo: LogOffset) {
        let state = try await source.state(of: topic)
        return (LiveText.state(state, of: source.log), state.upTo)
    }

    /// - Returns: nil when there is no room.
    package func join(_ topic: LiveTopic, knowsUpTo: LogOffset) -> Watcher? {
        let mailbox = LiveMailbox()
        return state.withLock { state in
            guard let id = state.desk.join(topic, knowsUpTo: knowsUpTo) else { return nil }
            state.mailboxes[id] = mailbox
            return Watcher(id: id, mailbox: mailbox)
        }
    }

    package func leave(_ watcher: Watcher) {
        state.withLock { state in
            state.desk.leave(watcher.id)
            state.mailboxes[watcher.id] = nil
        }
    }

    func didTake(_ watcher: Watcher) { state.withLock { $0.desk.didTake(watcher.id) } }

    func didTellState(_ watcher: Watcher, upTo: LogOffset) {
        state.withLock { $0.desk.didTellState(watcher.id, upTo: upTo) }
    }

    // MARK: Rounds

    /// Tells what changed since the last round.
    package func round() {
        guard let question = state.withLock({ $0.desk.question }) else { return }
        let changes = source.changes(after: question.after, of: question.banners)
        let deliveries = state.withLock { $0.desk.deliver(changes) }
        for delivery in deliveries {
            let message = message(delivery.content)
            let mailboxes = state.withLock { state in delivery.watchers.compactMap { state.mailboxes[$0] } }
            for mailbox in mailboxes { mailbox.put(message) }
        }
    }

    private func message(_ content: LiveDesk.Content) -> LiveMailbox.Message {
        switch content {
        case .changes(let changes): .bytes(LiveText.changes(changes, of: source.log))
        case .heartbeat: .bytes(LiveText.heartbeat)
        case .state: .state
        }
    }

    /// Ends all streams, so that no connection holds up a stop.
    package func close() {
        let mailboxes = state.withLock { state in state.desk.close().compactMap { state.mailboxes[$0] } }
        for mailbox in mailboxes { mailbox.close() }
    }

    package func run() async {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do { try await Task.sleep(for: .seconds(1)) } catch { break }
                self.round()
            }
        }
        close()
    }
}
