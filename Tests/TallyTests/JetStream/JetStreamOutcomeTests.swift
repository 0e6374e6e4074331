// SPDX-License-Identifier: Apache-2.0

#if JetStream

import TallyCore
import Testing

@testable import TallyBackends

@Suite("What the tries of an append to JetStream come to")
struct JetStreamOutcomeTests {
    private let timeout = NATSDelivery.failed(NATSFailure(text: "timeout"))
    private let noResponders = NATSDelivery.failed(NATSFailure(text: "no responders", isCertain: true))

    @Test("a message that was lost and sent again stands behind those that came through, and the append is done")
    func anotherOrder() {
        var outcome = JetStreamOutcome()
        #expect(outcome.note([timeout, .acknowledged(sequence: 7), .acknowledged(sequence: 8)]) == nil)
        let again = [9, 7, 8].map { NATSDelivery.acknowledged(sequence: $0) }
        #expect(outcome.note(again) == [LogOffset(9), LogOffset(7), LogOffset(8)])
    }

    @Test("what no server has received in any try is certainly not there")
    func certain() {
        var outcome = JetStreamOutcome()
        #expect(outcome.note([noResponders, noResponders]) == nil)
        #expect(outcome.error == .refused("JetStream: no responders"))
    }

    @Test(
        "what may have been taken in one try is not refused in the next",
        arguments: [NATSDelivery.failed(NATSFailure(text: "timeout")), .acknowledged(sequence: 1)])
    func perhaps(first: NATSDelivery) {
        var outcome = JetStreamOutcome()
        #expect(outcome.note([first, noResponders]) == nil)
        #expect(outcome.note([noResponders, noResponders]) == nil)
        #expect(outcome.error == .unavailable("JetStream: no responders"))
    }
}

#endif
