// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TallyServer

@Suite("How many connections a server has")
struct ConnectionLimitTests {
    @Test("up to the limit all are admitted, then none")
    func limit() {
        var limit = ConnectionLimit(maximum: 2)
        #expect(limit.began { false } == .admit)
        #expect(limit.began { false } == .admit)
        #expect(limit.began { false } == .refuse)
        limit.ended(.admit)
        #expect(limit.began { false } == .admit)
        #expect(limit.open == 2 && limit.refused == 1)
    }

    @Test("an idle one makes room for a new one, and only where there is no room")
    func idle() {
        var limit = ConnectionLimit(maximum: 1)
        #expect(limit.began { fatalError("there is room") } == .admit)
        #expect(limit.began { true } == .admit)
        limit.ended(.admit)
        #expect(limit.open == 1)
    }

    @Test("those that are being refused are limited, too")
    func refusals() {
        var limit = ConnectionLimit(maximum: 0)
        for _ in 0..<ConnectionLimit.maximumRefusals { #expect(limit.began { false } == .refuse) }
        #expect(limit.began { false } == .drop)
        limit.ended(.drop)
        limit.ended(.refuse)
        #expect(limit.began { false } == .refuse)
    }
}
