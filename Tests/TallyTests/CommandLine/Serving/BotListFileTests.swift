// SPDX-License-Identifier: Apache-2.0

import Foundation
import Logging
import TallyCore
import Testing

@testable import TallyServer
@testable import tally

struct BotListFileTests {
    private func write(_ text: String, _ path: String) throws {
        // Another file in its place, as editors do: another version however soon it comes.
        try Data(text.utf8).write(to: URL(filePath: path), options: .atomic)
    }

    private func isBot(_ judge: TrafficJudge, _ userAgent: String) -> Bool {
        Array(userAgent.utf8).withUnsafeBytes { agent in
            let sender = TrafficJudge.Sender(
                peer: nil, userAgent: agent, forwarded: UnsafeRawBufferPointer(start: nil, count: 0))
            return judge.verdict(sender, on: Day(of: .first)).isBot
        }
    }

    @Test func `a file is read when it is another`() throws {
        let directory = try ScratchDirectory()
        let path = directory.path + "/bots"
        var file = BotListFile(path: path)
        #expect(throws: CommandFailure.failed("\(path): No such file or directory")) { try file.readFirst() }
        try write("shop-probe\n", path)
        #expect(throws: Never.self) { try file.readFirst() }
        #expect(try file.readWhenChanged() == nil)
        try write("x\n", path)
        let problem = #expect(throws: CommandFailure.self) { try file.readWhenChanged() }
        #expect("\(try #require(problem))".contains("\(path): line 1: allowed are"))
        #expect(try file.readWhenChanged() == nil, "once is enough")
        try FileManager.default.removeItem(atPath: path)
        #expect(throws: CommandFailure.failed("\(path): No such file or directory")) { try file.readWhenChanged() }
        #expect(try file.readWhenChanged() == nil, "once is enough")
        try write("shop-probe\n", path)
        #expect(try file.readWhenChanged() != nil)
    }

    @Test func `a directory is no list`() throws {
        let directory = try ScratchDirectory()
        var file = BotListFile(path: directory.path)
        #expect(throws: CommandFailure.self) { try file.readFirst() }
    }

    @Test func `a list that is none leaves the last one in force`() throws {
        let directory = try ScratchDirectory()
        let path = directory.path + "/bots"
        let judge = TrafficJudge()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        var file = BotListFile(path: path)
        for (text, isProbe) in [("shop-probe\n", true), ("x\n", true), ("other-probe\n", false), ("shop-probe", true)] {
            try write(text, path)
            BotListWatch.renew(&file, judge, logger)
            #expect(isBot(judge, "Shop-Probe/1") == isProbe, "\(text)")
        }
    }
}
