// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// What an answer may say: at least all that was acknowledged when it was asked for, at most all that is in the logs when
/// it came, and of a final minute always the same.
extension Auditor {
    struct ReadBounds {
        let account: Int
        /// For each log, up to where an answer must include it.
        let atLeast: [Int64]
        /// The minutes before it were final.
        let watermark: Minute
    }

    func boundsBefore(_ account: Int, _ position: LogOffset, watermark: Minute, _ store: SimulatedStore) -> ReadBounds {
        let atLeast = accounts.indices.map { index in
            // Of a log that others count a server knows what is stored.
            index == account
                ? position.value : store.counts.checkpoint(of: accounts[index].log)?.upTo.value ?? 0
        }
        return ReadBounds(account: account, atLeast: atLeast, watermark: watermark)
    }

    func answered(_ counts: [MinuteCount], in range: RowRange, _ bounds: ReadBounds) {
        // Of a log whose end was lost to damage nobody can say what an answer must hold.
        if accounts.contains(where: \.isRetired) { return }
        var expected = expectations(in: range, bounds)
        for count in counts {
            let counter = LogAccount.Counter(banner: count.banner, kind: count.kind, minute: count.minute)
            guard let limits = expected.removeValue(forKey: counter) else {
                return require(false, "an answer has \(counter), which was never counted")
            }
            require(limits.contains(count.count), "an answer has \(count.count) of \(counter), not \(limits)")
            if isFinal(counter, bounds) {
                require(limits.lowerBound == limits.upperBound, "\(counter) changed when it was final")
            }
        }
        for (counter, limits) in expected {
            require(limits.lowerBound == 0, "an answer lacks \(counter), which is \(limits)")
        }
    }

    private func isFinal(_ counter: LogAccount.Counter, _ bounds: ReadBounds) -> Bool {
        accounts.count == 1 && accounts[0].node != nil && counter.minute < bounds.watermark
            && counter.banner.value < Auditor.backfilledBanners
    }

    private func expectations(in range: RowRange, _ bounds: ReadBounds) -> [LogAccount.Counter: ClosedRange<Int64>] {
        var expected: [LogAccount.Counter: ClosedRange<Int64>] = [:]
        for (index, account) in accounts.enumerated() {
            let atLeast = index < bounds.atLeast.count ? bounds.atLeast[index] : 0
            for (key, history) in account.reference.rows where range.contains(key.banner, key.kind) {
                for (minute, sums) in history.minutes {
                    let counter = LogAccount.Counter(
                        banner: key.banner, kind: key.kind, minute: key.start.advanced(by: Int64(minute)))
                    guard range.minutes.contains(counter.minute) else { continue }
                    let low = ReferenceCount.History.sum(sums, upTo: atLeast)
                    let high = ReferenceCount.History.sum(sums, upTo: account.end)
                    let before = expected[counter] ?? 0...0
                    expected[counter] = before.lowerBound + low...before.upperBound + high
                }
            }
        }
        return expected
    }
}
