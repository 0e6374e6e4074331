// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TallyServer

@Suite("Whether a process that has started is ready to answer")
struct StartReadinessTests {
    private let start = StartReadiness(limit: .seconds(300))

    @Test("not while its answers lack what the log held, and whatever else is wrong")
    func lacking() {
        let reasons = ["partition 1: offset 3 of 9", "partition 2: offset 1 of 8"]
        #expect(start.readiness(lacking: reasons, problems: [], after: .zero) == .notReady(reasons: reasons))
        #expect(
            start.readiness(lacking: reasons, problems: ["the store is away"], after: .seconds(299))
                == .notReady(reasons: reasons))
    }

    @Test("when the time for it is over, all the same, and it names what is lacking once")
    func timeIsOver() {
        let reasons = ["partition 1: offset 3 of 9"]
        #expect(
            start.readiness(lacking: reasons, problems: reasons + ["the store is away"], after: .seconds(300))
                == .counting(butNot: "partition 1: offset 3 of 9; the store is away"))
        #expect(
            StartReadiness(limit: .zero).readiness(lacking: reasons, problems: [], after: .zero)
                == .counting(butNot: "partition 1: offset 3 of 9"))
    }

    @Test("when its answers lack nothing; problems are named and keep nobody waiting")
    func complete() {
        #expect(start.readiness(lacking: [], problems: [], after: .zero) == .ready)
        #expect(
            start.readiness(lacking: [], problems: ["the store is away"], after: .zero)
                == .counting(butNot: "the store is away"))
    }
}
