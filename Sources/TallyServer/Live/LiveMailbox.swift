// SPDX-License-Identifier: Apache-2.0

package import NIOCore
import Synchronization

/// Between the desk and one connection: holds one message at most.
package final class LiveMailbox: Sendable {
    package enum Message: Equatable, Sendable {
        case bytes(ByteBuffer)
        /// Tell the state anew.
        case state
    }

    private struct State {
        var message: Message?
        var waiter: CheckedContinuation<Message?, Never>?
        var isClosed = false
    }

    private let state = Mutex(State())

    func put(_ message: Message) {
        let waiter = state.withLock { state -> CheckedContinuation<Message?, Never>? in
            guard !state.isClosed else { return nil }
            defer { state.waiter = nil }
            if state.waiter == nil { state.message = message }
            return state.waiter
        }
        waiter?.resume(returning: message)
    }

    /// What is in it is thrown away, and who waits is sent away.
    func close() {
        let waiter = state.withLock { state -> CheckedContinuation<Message?, Never>? in
            defer { state.waiter = nil }
            state.isClosed = true
            state.message = nil
            return state.waiter
        }
        waiter?.resume(returning: nil)
    }

    /// Waits for the next message.
    /// - Returns: nil when it was closed, or the task cancelled.
    package func next() async -> Message? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let ready = state.withLock { state -> Message?? in
                    if state.isClosed { return .some(nil) }
                    if let message = state.message {
                        state.message = nil
                        return .some(message)
                    }
                    state.waiter = continuation
                    return nil
                }
                if let ready { continuation.resume(returning: ready) }
            }
        } onCancel: {
            close()
        }
    }
}
