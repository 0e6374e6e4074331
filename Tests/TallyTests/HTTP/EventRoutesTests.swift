// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import TallyCore
import TallySimulator
import Testing

@testable import TallyServer

struct EventRoutesTests {
    private func rejected(_ answer: Answer) -> [(place: Int, error: String)] {
        ((answer.json?["rejected"] as? [NSDictionary]) ?? []).map {
            (($0["line"] ?? $0["index"]) as? Int ?? -1, $0["error"] as? String ?? "")
        }
    }

    @Test func `counts lines together and tells where they are durable`() async throws {
        let test = HTTPTest()
        let body =
            "\u{FEFF}{\"banner\":1}\r\n\r\n  \n{\"banner\":1,\"kind\":\"impression\",\"n\":5}\n{\"banner\":9223372036854775807}"
        let answer = try await test.send(.post, "/v1/events", body)
        #expect(answer.status == 200)
        #expect(answer.text == #"{"accepted":3,"rejected":[],"rejectedCount":0}"#)
        #expect(answer.headers[.tallyReceipt] == "test-log@1; durable=memory")
        #expect(answer.headers[.cacheControl] == "no-store")
        #expect(test.service.count(1) == 1)
        #expect(test.service.count(1, .impression) == 5)
        #expect(test.service.count(.max) == 1)
        #expect(test.service.records == 1)
    }

    @Test func `an array counts as well, and an empty one counts nothing`() async throws {
        let test = HTTPTest()
        #expect(
            try await test.send(.post, "/v1/events", #" [{"banner":1}, {"banner":1,"id":"a"},{"banner":1,"id":"a"}] "#)
                .status == 200)
        #expect(test.service.count(1) == 2)
        let empty = try await test.send(.post, "/v1/events", "[]")
        #expect(empty.status == 200)
        #expect(empty.headers[.tallyReceipt] == nil)
        #expect(test.service.records == 1)
    }

    @Test func `one bad line among good ones is named, and the good ones count`() async throws {
        let test = HTTPTest()
        let answer = try await test.send(
            .post, "/v1/events", "{\"banner\":1}\n\n{\"banner\":0}\n{\"banner\":2}\n{\"banner\":3")
        #expect(answer.status == 200)
        #expect(answer.json?["accepted"] as? Int == 2)
        #expect(answer.json?["rejectedCount"] as? Int == 2)
        #expect(rejected(answer).map(\.place) == [3, 5])
        #expect(
            rejected(answer).first?.error == "banner is 0; a banner id is an integer from 1 to 9223372036854775807, "
                + "as a number or as a string of digits")
        #expect(rejected(answer).last?.error == "not JSON: the end where } should be at byte 11")
        #expect(test.refusals("bad_banner_id") == 1)
        #expect(test.refusals("bad_json") == 1)
    }

    @Test(arguments: [
        (#"{}"#, "banner is missing"), (#"{"banner":null}"#, "banner is missing"),
        (#"{"banner":"x"}"#, #"banner is the text "x""#),
        (#"{"banner":1.0}"#, "banner is 1.0"), (#"{"banner":1e3}"#, "banner is 1e3"),
        (#"{"banner":-1}"#, "banner is -1"),
        (#"{"banner":9223372036854775808}"#, "banner is 9223372036854775808"), (#"{"banner":true}"#, "banner is true"),
        (#"{"banner":[1]}"#, "banner is an array"), ("7", "an event is an object"), (#""x""#, "an event is an object"),
        (#"{"banner":1,"n":0}"#, "n is 0; allowed is an integer from 1 to 1000000000"),
        (#"{"banner":1,"n":-1}"#, "n is -1"), (#"{"banner":1,"n":1000000001}"#, "n is 1000000001"),
        (#"{"banner":1,"n":99999999999999999999}"#, "n is 99999999999999999999"),
        (#"{"banner":1,"n":"1"}"#, "n is the text"),
        (#"{"banner":1,"n":1.5}"#, "n is 1.5"), (#"{"banner":1,"kind":"Click"}"#, #"kind is "Click""#),
        (#"{"banner":1,"kind":7}"#, "kind is 7"), (#"{"banner":1,"id":7}"#, "id is 7"),
        (#"{"banner":1,"id":""}"#, "id is empty"),
        (#"{"banner":1,"ts":"soon"}"#, #"ts is the text "soon", which is not a time"#),
        (#"{"banner":1,"ts":{}}"#, "ts is an object"),
        (
            #"{"banner":1,"ts":"2024-12-01T00:00:00"}"#,
            "too old: the earliest minute that still counts is 2024-12-05T10:05:00Z"
        ),
        (
            #"{"banner":1,"ts":"2024-12-12T10:07:00Z"}"#,
            "in the future: the latest minute that counts is 2024-12-12T10:06:00Z"
        ),
        (#"{"banner":1,"ts":-1}"#, "out of range"), (#"{"banner":1,"bannner":2}"#, #"unknown member "bannner""#),
        (#"{"banner":1,"banner":2}"#, "a second time"), (#"{'banner':1}"#, "not JSON"),
        (#"{"banner":01}"#, "a malformed number"),
        (#"{"banner":1} {"banner":2}"#, "something after the end"), ("\u{0}", "not JSON"),
    ])
    func `a bad event is refused with what was wrong, as a line and as an element`(event: String, error: String)
        async throws
    {
        let test = HTTPTest()
        let line = try await test.send(.post, "/v1/events", event)
        #expect(line.status == 400)
        #expect(rejected(line).first?.error.contains(error) == true, "\(line.text)")
        #expect(line.json?["accepted"] as? Int == 0)
        if !error.contains("not JSON"),
            !["a second time", "a malformed number", "something after the end"].contains(error)
        {
            let element = try await test.send(.post, "/v1/events", #"[{"banner":5},\#(event)]"#)
            #expect(element.status == 200)
            #expect(rejected(element).map(\.place) == [1])
            #expect(rejected(element).first?.error.contains(error) == true)
            #expect(test.service.count(5) == 1)
        }
        #expect(test.service.count(1) == 0)
    }

    @Test(arguments: [
        #"[{"banner":1}"#, #"[{"banner":1},]"#, #"[{"banner":1} {"banner":1}]"#, #"[{"banner":1}] x"#, #"[{"banner"#,
    ])
    func `an array that is not JSON counts nothing`(body: String) async throws {
        let test = HTTPTest()
        let answer = try await test.send(.post, "/v1/events", body)
        #expect(answer.status == 400)
        #expect(answer.isProblem)
        #expect(answer.error.contains("not JSON"))
        #expect(test.service.count(1) == 0)
    }

    @Test(arguments: ["", "  \n\r\n", "\u{FEFF}"])
    func `an empty body is a mistake`(body: String) async throws {
        let answer = try await HTTPTest().send(.post, "/v1/events", body)
        #expect(answer.status == 400)
        #expect(answer.error.contains("the body is empty"))
    }

    @Test func `invalid UTF-8 spoils its line alone`() async throws {
        let test = HTTPTest()
        let bytes =
            Array("{\"banner\":1}\n{\"banner\":1,\"id\":\"".utf8) + [0xC3, 0x28] + Array("\"}\n{\"banner\":1}".utf8)
        let answer = try await test.send(.post, "/v1/events", bytes: bytes)
        #expect(answer.json?["accepted"] as? Int == 2)
        #expect(rejected(answer).map(\.place) == [2])
        #expect(rejected(answer).first?.error.contains("not UTF-8") == true)
    }

    @Test func `a hundred bad lines are named, and the rest are counted`() async throws {
        let test = HTTPTest()
        let answer = try await test.send(
            .post, "/v1/events", String(repeating: "{\"banner\":0}\n", count: 250) + "{\"banner\":1}")
        #expect(rejected(answer).map(\.place) == Array(1...100))
        #expect(answer.json?["rejectedCount"] as? Int == 250)
        #expect(answer.json?["accepted"] as? Int == 1)
        #expect(test.refusals("bad_banner_id") == 250)
    }

    @Test func `backfill takes any past minute, and the future never counts`() async throws {
        let test = HTTPTest()
        let events = "{\"banner\":1,\"ts\":0}\n{\"banner\":1,\"ts\":\"2030-01-01T00:00:00Z\"}"
        #expect(try await test.send(.post, "/v1/events", events).json?["accepted"] as? Int == 0)
        #expect(try await test.send(.post, "/v1/events?backfill=true", events).json?["accepted"] as? Int == 1)
        #expect(try await test.send(.post, "/v1/events?backfill=yes", events).status == 400)
        #expect(
            try await test.send(.post, "/v1/events?backfil=true", events).error.contains(
                #"unknown parameter "backfil""#))
        #expect(test.refusals("in_future") == 2)
        #expect(test.refusals("too_old") == 1)
    }

    @Test func `eight mebibytes are read, and one byte more is a 413`() async throws {
        let test = HTTPTest()
        let line = Array("{\"banner\":1}\n".utf8)
        let fits = line + Array(repeating: UInt8(ascii: "x"), count: Limits.bodyBytes - line.count)
        #expect(try await test.send(.post, "/v1/events", bytes: fits).json?["accepted"] as? Int == 1)
        let answer = try await test.send(.post, "/v1/events", bytes: fits + [0x0A])
        #expect(answer.status == 413)
        #expect(answer.isProblem)
        #expect(answer.error.contains("larger than 8388608 bytes"))
        #expect(test.service.count(1) == 1)
        #expect(test.refusals("too_large") == 1)
    }

    @Test func `bodies that are together too large are a 503, and later they aren't`() async throws {
        var test = HTTPTest()
        test.configuration.bodiesBytes = 1_000
        let line = Array("{\"banner\":1}\n".utf8)
        let tooMuch = line + Array(repeating: UInt8(ascii: " "), count: 1_000)
        let fits = line + Array(repeating: UInt8(ascii: " "), count: 900)
        try await test.application.test(.router) { client in
            for (body, status) in [(tooMuch, 503), (fits, 200), (fits, 200), (tooMuch, 503), (fits, 200)] {
                let answer = try await client.executeRequest(
                    uri: "/v1/events", method: .post, headers: [:], body: ByteBuffer(bytes: body))
                #expect(answer.status.code == status)
                #expect(answer.headers[.retryAfter] == (status == 503 ? "1" : nil))
            }
        }
        #expect(test.service.count(1) == 3)
        #expect(test.refusals("overloaded") == 2)
    }

    @Test func `what can't be made durable is a 503 and no line is accepted`() async throws {
        let test = HTTPTest()
        test.service.set(\.ingestError, .overloaded)
        let answer = try await test.send(.post, "/v1/events", "{\"banner\":1}")
        #expect(answer.status == 503)
        #expect(answer.isProblem)
        #expect(answer.headers[.retryAfter] == "1")
    }

    @Test func `what a stranger sends never stops the process, and no event is in two lists`() throws {
        var random = SeededGenerator(seed: 20_241_212)
        let seeds = [
            #"[{"banner":1,"kind":"click","ts":"2024-12-12T10:00:00","n":1,"id":"\u00e9"}]"#,
            "{\"banner\":1}\n{\"banner\":2}",
        ]
        let service = CountingInMemory()
        for round in 0..<5_000 {
            var bytes = Array(seeds[round % 2].utf8)
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                if Bool.random(using: &random) {
                    bytes[place] = .random(in: 0...255, using: &random)
                } else {
                    bytes.remove(at: place)
                }
            }
            do {
                let batch = try EventBatch(reading: bytes, backfill: true, service: service)
                let lines = bytes.split(separator: 0x0A).count
                #expect(
                    batch.accepted.count + batch.rejectedCount <= max(1, lines), "seed 20241212, round \(round)")
                #expect(batch.rejected.count == batch.rejectedCount, "seed 20241212, round \(round)")
            } catch {
                #expect(Problem(error).status == .badRequest, "seed 20241212, round \(round)")
            }
        }
    }
}
