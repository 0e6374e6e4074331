// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TallyCore
import Testing

@testable import tally

struct ClientTests {
    @Test func pausesDoubleUntilPatienceEnds() {
        var schedule = RetrySchedule(firstPause: .seconds(1), longestPause: .seconds(4), patience: .seconds(12))
        #expect((0..<5).map { _ in schedule.nextPause() } == [.seconds(1), .seconds(2), .seconds(4), .seconds(4), nil])
    }

    @Test func theServersWishIsHeardWithinLimits() {
        var schedule = RetrySchedule(firstPause: .seconds(1), longestPause: .seconds(4), patience: .seconds(60))
        #expect(schedule.nextPause(asked: .seconds(3)) == .seconds(3))
        #expect(schedule.nextPause(asked: .seconds(3_600)) == .seconds(4))
    }

    @Test func thePatientOneWaitsAboutAMinuteAndTheOtherNotAtAll() {
        var patient = RetrySchedule.patient
        var total = Duration.zero
        while let pause = patient.nextPause() { total += pause }
        #expect(total > .seconds(45) && total <= .seconds(60))
        var never = RetrySchedule.never
        #expect(never.nextPause() == nil)
    }

    @Test(
        "what is no address of a server is refused",
        arguments: [
            "", "localhost:3000", "ftp://h", "http://", "http://:80", "http://u:p@h", "http://h?x", "http://h#x",
            "http://h h", "http:///x", "http://h:", "http://h:0", "http://h:65536", "http://h:x", "http://[::1",
            "http://::1",
        ])
    func refusesAddresses(text: String) { #expect(ServerURL(text) == nil) }

    @Test func anAddressKeepsItsPathAndLosesItsSlash() throws {
        #expect(try #require(ServerURL("HTTPS://h:1/tally//")).text == "HTTPS://h:1/tally")
        #expect(
            try #require(ServerURL("http://[::1]:3000")).url(path: "/x", query: [("a b", "ä&")])
                == "http://[::1]:3000/x?a%20b=%C3%A4%26")
    }

    /// Too long for a name, so that nobody on the network is asked for it.
    private static let impossibleName = String(repeating: "a", count: 64) + ".invalid"

    @Test(
        "why nobody answers is told in a few words",
        arguments: [
            ("http://127.0.0.1:1", "Connection refused"), ("http://localhost:1", "Connection refused"),
            ("http://\(impossibleName)", "the name \(impossibleName) leads to no address"),
        ])
    func connectionProblems(address: String, reason: String) async throws {
        let url = try #require(ServerURL(address))
        await #expect(throws: CommandFailure.failed("\(url) does not answer: \(reason)")) {
            try await TallyClient.with(url, retries: .never) { try await $0.totals() }
        }
    }

    @Test func aBannerIsFoundByIdOrName() async throws {
        let server = FakeTallyServer()
        server.state.withLock { $0.names = (1...2_500).map { "n\($0)" } }
        try await server.serving { url in
            try await TallyClient.with(url, retries: .never) { client in
                for (text, id) in [("77", 77), ("n2400", 2_400), ("n1", 1)] as [(String, Int64)] {
                    let banner = try await client.banner(text)
                    #expect(banner.value == id)
                }
                await #expect(throws: CommandFailure.self) { try await client.banner("nobody") }
            }
            let pages = server.state.withLock { $0.requests.filter { $0.hasPrefix("GET /v1/banners?") }.count }
            #expect(pages == 3 + 1 + 3, "as many pages as needed, and none for an id")
        }
    }

    @Test func totalsOfAnEmptyServerHaveNoMinutes() async throws {
        try await FakeTallyServer().serving { url in
            let totals = try await TallyClient.with(url, retries: .never) { try await $0.totals() }
            #expect((totals.total, totals.first, totals.last) == (0, nil, nil))
        }
    }

    @Test func anotherServersAnswerIsNamed() async throws {
        try await FakeTallyServer().serving { url in
            await #expect(throws: CommandFailure.self) {
                try await TallyClient.with(url, retries: .never) { try await $0.get("/v1/totals", as: TopAnswer.self) }
            }
            await #expect(throws: CommandFailure.failed("\(url) answers 404: Not Found")) {
                try await TallyClient.with(url, retries: .never) { try await $0.get("/nowhere", as: TopAnswer.self) }
            }
        }
    }
}
