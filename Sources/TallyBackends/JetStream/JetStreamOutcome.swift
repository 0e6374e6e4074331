// SPDX-License-Identifier: Apache-2.0

#if JetStream

import TallyCore

/// What the tries to append some chunks have come to. Every try sends the same messages with the same ids, so one that
/// was written before is not written again, and its acknowledgement says where it is.
///
/// No I/O.
struct JetStreamOutcome {
    /// Nothing of any try was taken by anyone.
    private var isCertain = true
    private var problem = "no server has answered"

    /// - Returns: the offsets when all messages were acknowledged. They need not ascend: an earlier try may have written some messages.
    mutating func note(_ deliveries: [NATSDelivery]) -> [LogOffset]? {
        var offsets: [LogOffset] = []
        for delivery in deliveries {
            switch delivery {
            case .acknowledged(let sequence): offsets.append(LogOffset(Int64(sequence)))
            case .failed(let failure):
                problem = failure.text
                if !failure.isCertain { isCertain = false }
            }
        }
        if !offsets.isEmpty { isCertain = false }
        return offsets.count == deliveries.count ? offsets : nil
    }

    /// When there is no more time.
    var error: LogError {
        isCertain ? .refused("JetStream: \(problem)") : .unavailable("JetStream: \(problem)")
    }
}

#endif
