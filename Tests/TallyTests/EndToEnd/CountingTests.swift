// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEndTests {
    @Suite("What is counted is answered", .timeLimit(.minutes(5)))
    struct CountingTests {
        @Test("three clicks in a loop are three in the present minute", arguments: ["minute", "hour"])
        func clicksInALoop(layout: String) async throws {
            try await withSandbox { sandbox in
                let tally = try await sandbox.serve("--layout", layout)
                let from = PresentMinute.text()
                try await tally.client.click(7, times: 3)
                let to = PresentMinute.text()
                let answer = try await tally.client.post("/stats/7", #"{"from":"\#(from)","to":"\#(to)"}"#)
                #expect(answer.status == 200)
                if from == to {
                    #expect(answer.text == #"{"stats":[{"ts":"\#(from)","v":3}]}"#)
                } else {
                    #expect(try answer.json(EndToEndClient.Stats.self).stats.reduce(0) { $0 + $1.v } == 3)
                }
            }
        }

        @Test("an acknowledged click is in the very next answer, while the store is written every second")
        func readsItsWrites() async throws {
            try await withSandbox { sandbox in
                let tally = try await sandbox.serve("--flush-every", "1s")
                let start = ContinuousClock.now
                var clicks = 0
                // Long enough for some flushes to lie between.
                while start.duration(to: .now) < .seconds(3) {
                    clicks += 1
                    try #require(try await tally.client.count(7).status == 204)
                    try #require(try await tally.client.total(of: 7) == clicks)
                }
            }
        }

        @Test("a hundred clients at once lose no click and add none")
        func manyClients() async throws {
            try await withSandbox { sandbox in
                let tally = try await sandbox.serve()
                let client = tally.client
                try await withThrowingTaskGroup { group in
                    for _ in 1...100 {
                        group.addTask { try await client.click(7, times: 10) }
                    }
                    try await group.waitForAll()
                }
                #expect(try await client.total(of: 7) == 1000)
            }
        }

        @Test("an event with an id counts once, also after a crash")
        func eventIDs() async throws {
            try await withSandbox { sandbox in
                let first = try await sandbox.serve()
                for _ in 1...3 { #expect(try await first.client.count(7, id: "a").status == 204) }
                #expect(try await first.client.total(of: 7) == 1)
                try await first.kill()

                let second = try await sandbox.serve()
                #expect(try await second.client.count(7, id: "a").status == 204)
                #expect(try await second.client.count(7, id: "b").status == 204)
                #expect(try await second.client.total(of: 7) == 2)
            }
        }

        @Test("good lines count and bad ones are named")
        func badLines() async throws {
            try await withSandbox { sandbox in
                let tally = try await sandbox.serve()
                let lines = [#"{"banner":7}"#, #"{"banner":0}"#, "nonsense", #"{"banner":7,"n":5}"#]
                let answer = try await tally.client.post(events: lines)
                #expect(answer.status == 200)
                let accepted = try answer.json(EndToEndClient.Accepted.self)
                #expect(accepted.accepted == 2)
                #expect(accepted.rejected.map(\.line) == [2, 3])
                #expect(try await tally.client.total(of: 7) == 6)
            }
        }

        @Test("only registered banners are counted when that was asked for")
        func registeredOnly() async throws {
            try await withSandbox { sandbox in
                let tally = try await sandbox.serve("--banners", "registered", "--counter-status", "202")
                #expect(try await tally.client.count(7).status == 404)
                #expect(try await tally.client.put("/v1/banners/7", #"{"name":"seven"}"#).status == 200)
                #expect(try await tally.client.count(7).status == 202)
                #expect(try await tally.client.total(of: 7) == 1)
            }
        }
    }
}

/// As a client without a time zone writes it.
enum PresentMinute {
    static func text() -> String {
        var format = Date.ISO8601FormatStyle().year().month().day().dateTimeSeparator(.standard)
        format = format.time(includingFractionalSeconds: false)
        return String(Date.now.formatted(format).prefix(16)) + ":00"
    }
}
