// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TallyCore

@Suite("How much a spool may hold")
struct SpoolAccountTests {
    @Test("it is full from its limit on, and again open when the log has enough of it")
    func limit() {
        let chunks = SampleChunks.chunks(1...3)
        let bytes = chunks.map { $0.encoded().count }
        var account = SpoolAccount(limit: bytes[0] + bytes[1])
        #expect(!account.isFull)
        let isFirstIn = account.admit([chunks[0]])
        #expect(isFirstIn && !account.isFull)
        let areOthersIn = account.admit([chunks[1], chunks[2]])
        #expect(areOthersIn && account.isFull, "what reaches the limit is still taken")
        let isMoreIn = account.admit([chunks[0]])
        #expect(!isMoreIn, "a full spool takes nothing")
        #expect(account.bytes == bytes.reduce(0, +))
        #expect(account.chunks == 3)
        account.remove([chunks[0]])
        #expect(account.isFull == (bytes[2] >= bytes[0]))
        account.remove([chunks[1], chunks[2]])
        #expect(account.bytes == 0)
        #expect(account.chunks == 0)
    }

    @Test("a limit of nothing is reached at once")
    func nothing() {
        #expect(SpoolAccount(limit: 0).isFull)
    }
}
