// SPDX-License-Identifier: Apache-2.0

#if Kafka

import Testing

@testable import TallyBackends

@Suite("A producer that delivers nothing")
struct ProducerHealthTests {
    private let start = ContinuousClock.now
    private let timeout = KafkaDelivery.perhapsPersisted(KafkaFailure(text: "Message timed out"))
    private let refused = KafkaDelivery.notPersisted(KafkaFailure(text: "fenced"))

    @Test("is replaced when all has failed for 30 s, and not before")
    func replaced() {
        var health = ProducerHealth()
        #expect(health.problem(at: start + .seconds(100)) == nil)
        health.note([timeout, timeout], at: start)
        health.note([refused], at: start + .seconds(29))
        #expect(health.problem(at: start + .milliseconds(29_999)) == nil)
        #expect(
            health.problem(at: start + .seconds(30)) == "it has delivered nothing for 30 s: Message timed out")
    }

    @Test("is well again when one message of many is delivered")
    func delivers() {
        var health = ProducerHealth()
        health.note([timeout], at: start)
        health.note([refused, .persisted(offset: nil), timeout], at: start + .seconds(31))
        #expect(health.problem(at: start + .seconds(31)) == nil)
        health.note([timeout], at: start + .seconds(32))
        #expect(health.problem(at: start + .seconds(61)) == nil)
        #expect(health.problem(at: start + .seconds(62)) != nil)
    }

    @Test("an append of nothing says nothing")
    func nothing() {
        var health = ProducerHealth()
        health.note([], at: start)
        #expect(health.problem(at: start + .seconds(100)) == nil)
    }
}

#endif
