// SPDX-License-Identifier: Apache-2.0

#if Kafka

import TallyCore
import Testing

@testable import TallyBackends

@Suite("What deliveries mean for an append")
struct KafkaOutcomeTests {
    private let failure = KafkaFailure(text: "timed out")

    private func outcome(_ deliveries: [KafkaDelivery], fatal: String? = nil) -> Result<[LogOffset], LogError> {
        do throws(LogError) {
            return .success(try KafkaOutcome.offsets(of: deliveries, fatal: fatal))
        } catch { return .failure(error) }
    }

    @Test func offsetsAreOneHigherThanKafkas() {
        #expect(outcome([.persisted(offset: 0), .persisted(offset: 7)]) == .success([LogOffset(1), LogOffset(8)]))
        #expect(KafkaOffset.kafka(.none) == 0 && KafkaOffset.kafka(LogOffset(1)) == 0)
        #expect(KafkaOffset.kafka(LogOffset(8)) == 7 && KafkaOffset.log(7) == LogOffset(8))
    }

    @Test("only what is certainly nowhere is refused")
    func refusals() {
        #expect(
            outcome([.notPersisted(failure), .notPersisted(failure)]) == .failure(.refused("Kafka: timed out")))
        let uncertain: [[KafkaDelivery]] = [
            [.perhapsPersisted(failure)], [.notPersisted(failure), .perhapsPersisted(failure)],
            [.persisted(offset: 1), .notPersisted(failure)], [.notPersisted(failure), .persisted(offset: 1)],
        ]
        for deliveries in uncertain {
            #expect(outcome(deliveries) == .failure(.unavailable("Kafka: timed out")), "\(deliveries)")
        }
    }

    @Test func whatIsThereButNobodyKnowsWhereIsUncertain() {
        guard case .failure(.unavailable) = outcome([.persisted(offset: nil)]) else {
            Issue.record("there is no offset to give")
            return
        }
    }

    @Test func anotherOrderIsDone() {
        #expect(
            outcome([.persisted(offset: 5), .persisted(offset: 4)]) == .success([LogOffset(6), LogOffset(5)]))
    }

    @Test("what a producer that can't go on has not delivered is uncertain")
    func fatal() {
        for delivery in [KafkaDelivery.notPersisted(failure), .perhapsPersisted(failure)] {
            guard case .failure(.unavailable(let reason)) = outcome([delivery], fatal: "out of order") else {
                Issue.record("it is certain")
                continue
            }
            #expect(reason.contains("out of order"))
        }
        #expect(outcome([.persisted(offset: 1)], fatal: "out of order") == .success([LogOffset(2)]))
    }
}

#endif
