// SPDX-License-Identifier: Apache-2.0

#if Kafka

/// Whether a producer still delivers messages. librdkafka does not report every producer that brokers reject as failed: Tansu 0.6 fences a
/// producer whose messages have timed out, and librdkafka 2.16 retries without end.
///
/// No I/O.
struct ProducerHealth {
    /// Longer than brokers need to choose another leader.
    static let longestFailure = Duration.seconds(30)

    private var failing: (since: ContinuousClock.Instant, reason: String)?

    /// - Parameter deliveries: what became of the messages of one append.
    mutating func note(_ deliveries: [KafkaDelivery], at now: ContinuousClock.Instant) {
        var reason: String?
        for delivery in deliveries {
            switch delivery {
            case .persisted:
                failing = nil
                return
            case .notPersisted(let failure), .perhapsPersisted(let failure): reason = failure.text
            }
        }
        if let reason, failing == nil { failing = (now, reason) }
    }

    /// Why another is to take its place; nil while it delivers, or has failed for less than `longestFailure`.
    func problem(at now: ContinuousClock.Instant) -> String? {
        guard let failing, now - failing.since >= ProducerHealth.longestFailure else { return nil }
        return "it has delivered nothing for \(ProducerHealth.longestFailure.components.seconds) s: \(failing.reason)"
    }
}

#endif
