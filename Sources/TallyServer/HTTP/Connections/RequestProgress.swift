// SPDX-License-Identifier: Apache-2.0

/// Decides when a connection is too slow. A value without a clock: the owner says when a deadline has passed.
///
///     waiting ──bytes──► head ──headArrived──► body ──requestEnded──► waiting
///                          └──deadlinePassed──► cut off ◄──deadlinePassed──┘
///
/// While an earlier request of the connection is unanswered the server itself holds up the reading, so the client is given
/// another term.
struct RequestProgress {
    enum Verdict: Equatable {
        /// No request is on its way.
        case nothing
        /// Ask again after another term.
        case wait
        /// - Parameter mayAnswer: no answer has begun, so that one can be sent before closing.
        case cutOff(mayAnswer: Bool)
    }

    private enum Phase {
        case waiting
        case head
        case body
    }

    private var phase = Phase.waiting
    /// Requests whose head has arrived and whose answer is not complete.
    private var unanswered = 0
    private var isAnswering = false

    /// Bytes arrived.
    /// - Returns: true when a request begins with them, and with it a term.
    mutating func bytesArrived() -> Bool {
        guard phase == .waiting else { return false }
        phase = .head
        return true
    }

    mutating func headArrived() {
        phase = .body
        unanswered += 1
    }

    mutating func requestEnded() { phase = .waiting }

    mutating func answerBegan() { isAnswering = true }

    mutating func answerEnded() {
        isAnswering = false
        unanswered = max(0, unanswered - 1)
    }

    var isReceiving: Bool { phase != .waiting }

    func deadlinePassed() -> Verdict {
        switch phase {
        case .waiting: .nothing
        case .head: unanswered > 0 ? .wait : .cutOff(mayAnswer: !isAnswering)
        case .body: unanswered > 1 ? .wait : .cutOff(mayAnswer: unanswered == 1 && !isAnswering)
        }
    }
}
