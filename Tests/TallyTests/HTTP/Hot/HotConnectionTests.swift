// SPDX-License-Identifier: Apache-2.0

import TallyCore
import Testing

@testable import TallyServer

@Suite("Which side of a connection gets the bytes")
struct HotConnectionTests {
    private static let click = "GET /counter/7 HTTP/1.1\r\nHost: x\r\n\r\n"
    private static let other = "POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\n\r\n"
    private static let body = #"{"banner":7}"#

    private func step(_ connection: HotConnection, _ text: String) -> HotConnection.Step {
        Array(text.utf8).withUnsafeBytes { connection.step($0) }
    }

    private let counts = HotConnection.Step.count(
        .getCounter, BannerID(7)!, HotSender(), byteCount: HotConnectionTests.click.utf8.count)

    /// The whole of the other request at once.
    private var forwards: HotConnection.Step {
        .forward(byteCount: (Self.other + Self.body).utf8.count, missing: 0)
    }

    @Test func `plain requests are counted one after the other`() {
        var connection = HotConnection()
        #expect(step(connection, "") == .wait)
        for _ in 0..<3 {
            #expect(step(connection, Self.click + Self.click) == counts)
            connection.counted()
        }
        #expect(connection.unanswered == 3 && !connection.isAtRest)
        #expect(step(connection, "GET /cou") == .wait)
        connection.answered(2)
        connection.answered(1)
        #expect(connection.isAtRest)
    }

    @Test func `another's request waits until those before it are answered`() {
        var connection = HotConnection()
        connection.counted()
        #expect(step(connection, Self.other + Self.body) == .wait)
        connection.answered(1)
        #expect(step(connection, Self.other + Self.body + Self.click) == forwards)
    }

    @Test func `and nothing goes on before it is answered itself`() {
        var connection = HotConnection()
        connection.willForward(forwards)
        connection.requestEnded()
        connection.didForward()
        #expect(step(connection, Self.click) == .wait)
        #expect(!connection.isAtRest)
        connection.answerEnded()
        #expect(step(connection, Self.click) == counts)
    }

    @Test func `its body follows as it comes`() {
        var connection = HotConnection()
        let head = step(connection, Self.other)
        #expect(head == .forward(byteCount: Self.other.utf8.count, missing: 12))
        connection.willForward(head)
        connection.didForward()
        #expect(connection.isForwarding)
        let some = step(connection, "12345")
        #expect(some == .forward(byteCount: 5, missing: 7))
        connection.willForward(some)
        connection.didForward()
        let rest = step(connection, "6789012GET")
        #expect(rest == .forward(byteCount: 7, missing: 0))
        connection.willForward(rest)
        // The answer may come before the end of the request.
        connection.answerEnded()
        connection.requestEnded()
        connection.didForward()
        #expect(!connection.isForwarding)
        #expect(connection.isAtRest)
    }

    @Test func `what the codec must refuse is its own, and then the next is counted again`() {
        var connection = HotConnection()
        #expect(step(connection, Self.click) == counts)
        connection.handOver(byteCount: Self.click.utf8.count)
        let step = step(connection, Self.click + Self.click)
        #expect(step == .forward(byteCount: Self.click.utf8.count, missing: 0))
        connection.willForward(step)
        connection.requestEnded()
        connection.didForward()
        connection.answerEnded()
        #expect(self.step(connection, Self.click) == counts)
    }

    @Test func `from something odd on all is the codec's`() {
        var connection = HotConnection()
        connection.counted()
        #expect(step(connection, "\r\n" + Self.click) == .wait)
        connection.answered(1)
        #expect(step(connection, "\r\n" + Self.click) == .forwardAll)
        connection.willForward(.forwardAll)
        #expect(connection.isSlow)
        connection.requestEnded()
        connection.answerEnded()
        #expect(step(connection, Self.click) == .forwardAll)
        #expect(step(connection, "") == .wait)
    }

    @Test(
        "when the codec sees another request than was sent on, it decides from then on",
        arguments: ["no end", "an early end", "two ends", "two answers"])
    func disagreement(about what: String) {
        var connection = HotConnection()
        switch what {
        case "no end":
            connection.willForward(forwards)
            connection.didForward()
        case "an early end":
            connection.willForward(.forward(byteCount: 10, missing: 2))
            connection.requestEnded()
        case "two ends":
            connection.willForward(forwards)
            connection.requestEnded()
            connection.requestEnded()
        default:
            connection.willForward(forwards)
            connection.answerEnded()
            connection.answerEnded()
        }
        #expect(connection.isSlow)
        #expect(step(connection, Self.click) == .forwardAll)
    }
}
