// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import TallyCore
import Testing

@testable import TallyServer

struct CounterRoutesTests {
    @Test(arguments: [HTTPRequest.Method.get, .post])
    func `counts one click and says where it is durable`(method: HTTPRequest.Method) async throws {
        let test = HTTPTest()
        let answer = try await test.send(method, "/counter/7")
        #expect(answer.status == 204)
        #expect(answer.bytes.isEmpty)
        #expect(answer.headers[.cacheControl] == "no-store")
        #expect(answer.headers[.tallyReceipt] == "test-log@1; durable=memory")
        #expect(test.service.count(7) == 1)
    }

    @Test func `HEAD counts nothing, here and on the pixel and the link`() async throws {
        let test = HTTPTest()
        try await test.send(.put, "/v1/banners/7", #"{"target":"https://example.com/"}"#)
        #expect(try await test.send(.head, "/counter/7").status == 204)
        #expect(try await test.send(.head, "/v1/pixel/7").status == 200)
        #expect(try await test.send(.head, "/v1/click/7").status == 302)
        #expect(try await test.send(.head, "/counter/0").status == 400)
        #expect(test.service.count(7) == 0)
        #expect(test.service.count(7, .impression) == 0)
        #expect(test.service.records == 0)
    }

    @Test(arguments: HTTPConfiguration.CounterStatus.allCases)
    func `answers the status that was chosen`(status: HTTPConfiguration.CounterStatus) async throws {
        var test = HTTPTest()
        test.configuration.counterStatus = status
        #expect(try await test.send(.post, "/counter/7").status == status.rawValue)
    }

    @Test func `takes a kind and an event id, and leaves other parameters alone`() async throws {
        let test = HTTPTest()
        try await test.send(.post, "/counter/7?kind=impression&id=a&_=123")
        try await test.send(.post, "/counter/7?kind=impression&id=a")
        try await test.send(.post, "/counter/7?kind=impression&id=%62")
        #expect(test.service.count(7, .impression) == 2)
        #expect(test.service.count(7) == 0)
    }

    @Test func `takes the highest id and an encoded digit`() async throws {
        let test = HTTPTest()
        #expect(try await test.send(.post, "/counter/9223372036854775807").status == 204)
        #expect(try await test.send(.post, "/counter/%37").status == 204)
        #expect(test.service.count(.max) == 1)
        #expect(test.service.count(7) == 1)
    }

    @Test(arguments: [
        "0", "-1", "+1", "9223372036854775808", "99999999999999999999999", "abc", "1.0", "1e3", "0x10", "1%20", "%2B1",
        "٣",
        "1;2", "%", "%zz", "%00", String(repeating: "9", count: 10_240), String(repeating: "x", count: 10_240),
    ])
    func `refuses what is no banner id, briefly`(id: String) async throws {
        let test = HTTPTest()
        for (uri, method) in [
            ("/counter/\(id)", HTTPRequest.Method.post), ("/v1/pixel/\(id)", .get), ("/v1/click/\(id)", .get),
            ("/v1/beacon/\(id)", .post), ("/v1/banners/\(id)", .get), ("/stats/\(id)", .post),
        ] {
            let answer = try await test.send(method, uri, method == .post ? "{}" : nil)
            #expect(answer.status == 400, "\(uri.prefix(40))")
            #expect(answer.error.contains("an integer from 1 to 9223372036854775807"))
            #expect(answer.bytes.count < 600)
            #expect(answer.isProblem == uri.hasPrefix("/v1"))
        }
        #expect(test.refusals("bad_banner_id") == 6)
        #expect(test.service.isEmpty)
    }

    @Test func `refuses a malformed kind and too long an event id`() async throws {
        let test = HTTPTest()
        #expect(try await test.send(.post, "/counter/7?kind=Click").error.contains("lowercase letter"))
        #expect(try await test.send(.post, "/counter/7?kind=click&kind=click").error.contains("more than once"))
        let long = try await test.send(.post, "/counter/7?id=" + String(repeating: "a", count: 257))
        #expect(long.status == 400)
        #expect(long.error == "the event id has 257 bytes; allowed are 1 to 256")
        for empty in ["id=", "id", "kind=click&id="] {
            let answer = try await test.send(.post, "/counter/7?\(empty)")
            #expect(answer.status == 400, "\(empty)")
            #expect(answer.error == "the event id is empty; allowed are 1 to 256 bytes")
        }
        #expect(test.refusals("bad_kind") == 1)
        #expect(test.refusals("bad_event_id") == 4)
        #expect(test.service.isEmpty)
    }

    @Test func `an unknown banner is a 404 where only registered ones count`() async throws {
        let test = HTTPTest(CountingInMemory(onlyRegistered: true))
        let answer = try await test.send(.post, "/counter/7")
        #expect(answer.status == 404)
        #expect(answer.text == #"{"error":"banner 7 is not registered, and only registered banners are counted"}"#)
    }

    @Test func `one banner more than the limit is a 403`() async throws {
        let test = HTTPTest(CountingInMemory(limit: 1))
        #expect(try await test.send(.post, "/counter/7").status == 204)
        #expect(try await test.send(.post, "/counter/8").status == 403)
        #expect(test.refusals("too_many_banners") == 1)
    }

    @Test(arguments: [
        (IngestError.unavailable("the disk is full"), "unavailable"), (.overloaded, "overloaded"),
        (.closing, "closing"),
    ])
    func `what is not durable is a 503 that says when to try again`(error: IngestError, reason: String) async throws {
        let test = HTTPTest()
        test.service.set(\.ingestError, error)
        let answer = try await test.send(.post, "/counter/7")
        #expect(answer.status == 503)
        #expect(answer.headers[.retryAfter] == "1")
        #expect(answer.headers[.cacheControl] == "no-store")
        #expect(answer.error == "\(error)")
        #expect(test.refusals(reason) == 1)
        #expect(test.service.count(7) == 0)
    }
}
