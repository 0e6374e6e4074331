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
    /// How many requests have ended.
    private(set) var endedRequests = 0

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

    mutating func requestEnded() {
        phase = .waiting
        endedRequests &+= 1
    }

    /// So many requests began and ended.
    /// - Parameter begins: and another one has begun.
    mutating func requestsEnded(_ count: Int, begins: Bool) {
        phase = begins ? .head : .waiting
        endedRequests &+= count
        unanswered += count
    }

    /// So many of them were answered as a whole.
    mutating func requestsAnswered(_ count: Int) { unanswered = max(0, unanswered - count) }

    mutating func answerBegan() { isAnswering = true }

    mutating func answerEnded() {
        isAnswering = false
        unanswered = max(0, unanswered - 1)
    }

    var isReceiving: Bool { phase != .waiting }
    /// A request has arrived as a whole, and its answer is not complete.
    var isAnswerOutstanding: Bool { phase == .waiting && unanswered > 0 }

    func deadlinePassed() -> Verdict {
        switch phase {
        case .waiting: .nothing
        case .head: unanswered > 0 ? .wait : .cutOff(mayAnswer: !isAnswering)
        case .body: unanswered > 1 ? .wait : .cutOff(mayAnswer: unanswered == 1 && !isAnswering)
        }
    }
}
