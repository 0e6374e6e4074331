// SPDX-License-Identifier: Apache-2.0

#if Kafka

import TallyCore

/// What it means for an append that its messages were delivered or not.
enum KafkaOutcome {
    /// - Parameter fatal: why the producer can't go on; nil while it can. What it sent may still arrive.
    static func offsets(of deliveries: [KafkaDelivery], fatal: String?) throws(LogError) -> [LogOffset] {
        var offsets: [LogOffset] = []
        var problem: String?
        var isCertain = true
        for delivery in deliveries {
            switch delivery {
            case .persisted(let offset?):
                offsets.append(KafkaOffset.log(offset))
            case .persisted(nil):
                // The broker had it already, from a try whose answer was lost.
                problem = problem ?? "Kafka has the chunk, but does not say where"
            case .notPersisted(let failure): problem = problem ?? failure.text
            case .perhapsPersisted(let failure):
                problem = problem ?? failure.text
                isCertain = false
            }
        }
        guard let problem else { return offsets }
        if let fatal { throw .unavailable("Kafka's producer can't go on: \(fatal)") }
        let isNothingThere =
            isCertain && deliveries.allSatisfy { if case .notPersisted = $0 { true } else { false } }
        throw isNothingThere ? .refused("Kafka: \(problem)") : .unavailable("Kafka: \(problem)")
    }
}

/// Kafka counts from 0, and a log from 1: its offset o is o + 1 here, so that 0 stands before everything.
enum KafkaOffset {
    static func log(_ offset: Int64) -> LogOffset { LogOffset(offset + 1) }

    /// Of the first message that is not before `offset`.
    static func kafka(_ offset: LogOffset) -> Int64 { max(offset.value, 1) - 1 }
}

#endif
