// SPDX-License-Identifier: Apache-2.0

/// Wakes one waiting task; several signals before it looks are one.
struct Signal: Sendable {
    let signals: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() { (signals, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    func send() { continuation.yield() }
    func finish() { continuation.finish() }
}
