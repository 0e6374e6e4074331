// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// Decides what becomes of the bytes of one connection: counted here, or sent on to the HTTP codec. Answers keep the order
/// of their requests, so at any time only one side has requests that are not answered.
///
///     hot ──framed, nothing unanswered──► framed ──ended and answered──► hot
///      └──odd, nothing unanswered──► slow ◄──the codec saw something else──┘
///
/// No I/O: the owner keeps the bytes and asks what to do with the first of them until the answer is `wait`.
struct HotConnection {
    enum Step: Equatable {
        /// The first bytes are this request; call `counted` or, when it may not be, `handOver`.
        case count(HotRoute, BannerID, HotSender, byteCount: Int)
        /// So many bytes belong to the codec, and as many more of the same request are still to come. Call `willForward`
        /// before and `didForward` behind it.
        case forward(byteCount: Int, missing: Int)
        /// All bytes from here to the end of the connection do.
        case forwardAll
        /// Nothing before more bytes come, or an answer is written.
        case wait
    }

    private enum Phase {
        case hot
        /// The codec gets one request, of which so many bytes are missing.
        case framed(missing: Int, hasEnded: Bool, isAnswered: Bool)
        case slow
    }

    private let addressName: [UInt8]
    private var phase = Phase.hot
    /// Requests that were counted here and whose answer is not written.
    private(set) var unanswered = 0
    /// The first bytes are a request of so many for the codec, whatever they look like.
    private var handedOver: Int?

    /// - Parameter addressName: as `HotRequest` takes it.
    init(addressName: [UInt8] = HotRequest.forwardedFor) { self.addressName = addressName }

    /// - Parameter bytes: that are there and belong to nobody yet.
    func step(_ bytes: UnsafeRawBufferPointer) -> Step {
        switch phase {
        case .slow: return bytes.isEmpty ? .wait : .forwardAll
        case .framed(let missing, _, _):
            if missing == 0 || bytes.isEmpty { return .wait }
            let byteCount = min(missing, bytes.count)
            return .forward(byteCount: byteCount, missing: missing - byteCount)
        case .hot:
            if bytes.isEmpty { return .wait }
            if let byteCount = handedOver { return forward(byteCount, of: bytes) }
            switch HotRequest(bytes, addressName: addressName) {
            case .plain(let route, let banner, let sender, let byteCount):
                return .count(route, banner, sender, byteCount: byteCount)
            case .framed(let byteCount): return forward(byteCount, of: bytes)
            case .incomplete: return .wait
            case .odd: return unanswered == 0 ? .forwardAll : .wait
            }
        }
    }

    private func forward(_ whole: Int, of bytes: UnsafeRawBufferPointer) -> Step {
        if unanswered > 0 { return .wait }
        let byteCount = min(whole, bytes.count)
        return .forward(byteCount: byteCount, missing: whole - byteCount)
    }

    mutating func counted() { unanswered += 1 }

    /// The codec has to say why the plain request in the first bytes isn't counted.
    mutating func handOver(byteCount: Int) { handedOver = byteCount }

    /// These bytes are about to be sent on.
    mutating func willForward(_ step: Step) {
        switch (step, phase) {
        case (.forward(_, let missing), .framed(_, let hasEnded, let isAnswered)):
            phase = .framed(missing: missing, hasEnded: hasEnded, isAnswered: isAnswered)
        case (.forward(_, let missing), .hot):
            handedOver = nil
            phase = .framed(missing: missing, hasEnded: false, isAnswered: false)
        default: phase = .slow
        }
    }

    /// The bytes were sent on: the codec must have seen the end of the request now or not, as was expected.
    mutating func didForward() {
        if case .framed(0, hasEnded: false, _) = phase { phase = .slow }
    }

    /// The codec has seen the end of a request.
    mutating func requestEnded() {
        guard case .framed(let missing, let hasEnded, let isAnswered) = phase else { return }
        // Whoever sees another end than this side has a different request in mind: from now on it decides alone.
        if missing > 0 || hasEnded {
            phase = .slow
            return
        }
        settle(missing: missing, hasEnded: true, isAnswered: isAnswered)
    }

    /// An answer of the codec's side is written.
    mutating func answerEnded() {
        guard case .framed(let missing, let hasEnded, let isAnswered) = phase else { return }
        if isAnswered {
            phase = .slow
            return
        }
        settle(missing: missing, hasEnded: hasEnded, isAnswered: true)
    }

    private mutating func settle(missing: Int, hasEnded: Bool, isAnswered: Bool) {
        phase = hasEnded && isAnswered ? .hot : .framed(missing: missing, hasEnded: hasEnded, isAnswered: isAnswered)
    }

    /// Answers of this side are written.
    mutating func answered(_ count: Int) {
        precondition(count <= unanswered, "no more is answered than was counted")
        unanswered -= count
    }

    /// Nothing more comes: what is left belongs to the codec.
    mutating func giveUp() { phase = .slow }

    var isSlow: Bool {
        if case .slow = phase { return true }
        return false
    }

    /// In the middle of a request of the codec's.
    var isForwarding: Bool {
        guard case .framed(let missing, _, _) = phase else { return false }
        return missing > 0
    }

    /// Between two requests, with nothing unanswered on either side.
    var isAtRest: Bool {
        if case .hot = phase { return unanswered == 0 }
        return false
    }
}
