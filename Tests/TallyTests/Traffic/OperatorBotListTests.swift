// SPDX-License-Identifier: Apache-2.0

import NIOCore
import TallyCore
import Testing

@testable import TallyServer

struct OperatorBotListTests {
    private func isBot(_ list: OperatorBotList, _ userAgent: String) -> Bool? {
        Array(userAgent.utf8).withUnsafeBytes { list.isBot($0) }
    }

    @Test func `its lines say what is a bot, and what is none`() throws {
        let list = try OperatorBotList(Array("# ours\r\nShop-Probe\tours\r\n\nfetch$\n!Googlebot-Friend\n".utf8))
        #expect(isBot(list, "shop-probe/1") == true)
        #expect(isBot(list, "prefetch/1") == true)
        #expect(isBot(list, "fetcher/1") == nil)
        #expect(isBot(list, "googlebot-friend shop-probe") == false)
        #expect(isBot(list, "") == nil)
        #expect(isBot(try OperatorBotList([]), "shop-probe") == nil)
    }

    @Test(arguments: [
        ("ok?\nab\n", "line 2: allowed are 3 to 200"), ("!\n", "line 1: "), ("$\n", "line 1: "), ("ab$\n", "line 1: "),
        ("é-bot\n", "line 1: "), ("a\u{0}bc\n", "line 1: "), ("!!abc", "line 1: "), ("!#abc", "line 1: "),
        (String(repeating: "a", count: 201), "line 1: "), ("\tabc\n", "line 1: "),
        (String(repeating: "abc\n", count: 1_001), "more than 1000 texts"),
        (String(repeating: "#", count: 65_537), "more than 65536 bytes"),
    ])
    func `what is no list is refused, with its line`(text: String, problem: String) {
        #expect {
            _ = try OperatorBotList(Array(text.utf8))
        } throws: { "\($0)".hasPrefix(problem) }
    }

    @Test func `the longest list is one`() throws {
        let list = try OperatorBotList(
            Array(String(repeating: "# comment\n", count: 10).utf8)
                + Array((0..<1_000).map { "text-\($0)x\n" }.joined().utf8))
        #expect(isBot(list, "a TEXT-999X") == true)
    }

    private func judge(_ judge: TrafficJudge, _ memory: inout SenderMemory, _ userAgent: String) -> InvalidReason? {
        Array(userAgent.utf8).withUnsafeBytes { agent in
            memory.judge(
                agent, UnsafeRawBufferPointer(start: nil, count: 0), StoreTest.banner(1), peer: nil, judge: judge,
                at: .now(),
                on: Day(of: .first)
            ).invalid
        }
    }

    @Test func `a list that is changed holds for connections that are open`() throws {
        let judge = TrafficJudge()
        var memory = SenderMemory()
        #expect(self.judge(judge, &memory, "shop-probe") == nil)
        judge.use(try OperatorBotList(Array("shop-probe".utf8)))
        #expect(self.judge(judge, &memory, "shop-probe") == .bot)
        #expect(self.judge(judge, &memory, "Googlebot/2.1") == .bot)
        judge.use(try OperatorBotList(Array("!Googlebot".utf8)))
        #expect(self.judge(judge, &memory, "Googlebot/2.1") == nil)
        #expect(self.judge(judge, &memory, "shop-probe") == nil)
    }

    @Test func `without bots the list is not looked at`() throws {
        var rules = TrafficJudge.Configuration()
        rules.bots = false
        let judge = TrafficJudge(rules)
        judge.use(try OperatorBotList(Array("shop-probe".utf8)))
        var memory = SenderMemory()
        #expect(self.judge(judge, &memory, "shop-probe") == nil)
    }
}
