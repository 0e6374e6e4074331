// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPTypes
import Hummingbird
import TallyCore
import Testing

@testable import TallyServer

struct BannerRoutesTests {
    @Test func `registers, shows, replaces and forgets a banner`() async throws {
        let test = HTTPTest()
        let put = try await test.send(
            .put, "/v1/banners/7", #"{"name":"/sale","target":"https://example.com/?a=b","tags":["b","a","b"]}"#)
        #expect(put.status == 200)
        #expect(put.headers[.cacheControl] == "no-store")
        let known = #"{"id":7,"name":"/sale","target":"https://example.com/?a=b","tags":["a","b"],"registered":true"#
        #expect(put.text == known + "}")
        try await test.send(.post, "/counter/7")
        #expect(
            try await test.get("/v1/banners/7").text
                == known
                + #","totals":[{"kind":"click","v":1,"first":"2024-12-12T10:05:00Z","last":"2024-12-12T10:05:00Z"}]}"#)
        #expect(
            try await test.send(.put, "/v1/banners/7", "{}").text
                == #"{"id":7,"name":null,"target":null,"tags":[],"registered":true}"#)
        #expect(try await test.send(.delete, "/v1/banners/7").status == 204)
        #expect(try await test.get("/v1/banners/7").json?["registered"] as? Bool == false)
        #expect(try await test.send(.delete, "/v1/banners/7").status == 404)
        #expect(test.service.count(7) == 1)
    }

    @Test func `an unknown banner is a 404 and a name belongs to one`() async throws {
        let test = HTTPTest()
        let unknown = try await test.get("/v1/banners/7")
        #expect(unknown.status == 404)
        #expect(unknown.isProblem)
        try await test.send(.put, "/v1/banners/7", #"{"name":"/sale"}"#)
        let taken = try await test.send(.put, "/v1/banners/8", #"{"name":"/sale"}"#)
        #expect(taken.status == 409)
        #expect(taken.error == #"the name "/sale" belongs to banner 7"#)
    }

    @Test func `names and tags that differ in their bytes are two`() async throws {
        let test = HTTPTest()
        let names = ["caf\u{E9}", "cafe\u{301}"]
        let answer = try await test.send(.post, "/v1/banners", #"{"names":["\#(names[0])","\#(names[1])"]}"#)
        let expected = #"{"banners":[{"id":1,"name":"\#(names[0])"},{"id":2,"name":"\#(names[1])"}]}"#
        #expect(answer.bytes == Array(expected.utf8))
        let tagged = try await test.send(.put, "/v1/banners/3", #"{"tags":["\#(names[0])","\#(names[1])"]}"#)
        let both = #"{"id":3,"name":null,"target":null,"tags":["\#(names[1])","\#(names[0])"],"registered":true}"#
        #expect(tagged.bytes == Array(both.utf8))
    }

    @Test func `lists page by page, with totals where wanted`() async throws {
        let test = HTTPTest()
        for id in 1...5 { try await test.send(.post, "/counter/\(id)") }
        let first = try await test.get("/v1/banners?limit=2")
        #expect(
            first.text
                == #"{"banners":[{"id":1,"name":null,"target":null,"tags":[],"registered":false},"#
                + #"{"id":2,"name":null,"target":null,"tags":[],"registered":false}],"next":2}"#)
        let last = try await test.get("/v1/banners?limit=2&after=4&totals=true")
        #expect(
            last.text
                == #"{"banners":[{"id":5,"name":null,"target":null,"tags":[],"registered":false,"#
                + #""totals":[{"kind":"click","v":1,"first":"2024-12-12T10:05:00Z","last":"2024-12-12T10:05:00Z"}]}],"next":null}"#
        )
        #expect(try await test.get("/v1/banners?limit=5").json?["next"] is NSNull)
        #expect(try await test.get("/v1/banners?after=9&totals=true").text == #"{"banners":[],"next":null}"#)
        for query in ["limit=0", "limit=10001", "limit=x", "after=0", "totals=yes", "page=2"] {
            #expect(try await test.get("/v1/banners?\(query)").status == 400, "\(query)")
        }
    }

    @Test func `gives ids to names in their order`() async throws {
        let test = HTTPTest()
        try await test.send(.put, "/v1/banners/10", #"{"name":"/b"}"#)
        let answer = try await test.send(.post, "/v1/banners", #"{"names":["/a","/b","/a","/ü"]}"#)
        #expect(
            answer.text
                == #"{"banners":[{"id":11,"name":"/a"},{"id":10,"name":"/b"},{"id":11,"name":"/a"},{"id":12,"name":"/ü"}]}"#
        )
        let names = (0...1_000).map { "\"\($0)\"" }.joined(separator: ",")
        #expect(
            try await test.send(.post, "/v1/banners", "{\"names\":[\(names)]}").error.contains("allowed are up to 1000")
        )
    }

    @Test(arguments: [
        ("", "not JSON"), ("[]", "an array"), (#"{"name":7}"#, "name is 7"), (#"{"name":""}"#, "1 to 2048 bytes"),
        (#"{"name":"a\u0000b"}"#, "without control characters"), (#"{"nmae":"x"}"#, #"unknown member "nmae""#),
        (#"{"name":"\#(String(repeating: "x", count: 2_049))"}"#, "1 to 2048 bytes"),
        (#"{"tags":"x"}"#, "tags is the text"),
        (#"{"tags":[1]}"#, "a tag is 1"), (#"{"tags":["\#(String(repeating: "x", count: 65))"]}"#, "1 to 64 bytes"),
        (#"{"tags":[\#(Array(repeating: "\"x\"", count: 33).joined(separator: ","))]}"#, "up to 32"),
    ])
    func `refuses a banner that can't be read`(body: String, error: String) async throws {
        let answer = try await HTTPTest().send(.put, "/v1/banners/7", body)
        #expect(answer.status == 400)
        #expect(answer.isProblem)
        #expect(answer.error.contains(error), "\(answer.error)")
        #expect(answer.bytes.count < 700)
    }

    @Test(arguments: [
        "/relative", "example.com", "ftp://example.com", "javascript:alert(1)", "//example.com", "http://",
        "https:///x",
        "http://?x", "http://@/", "http://:80/", "http://a b", "http://exa\\nmple.com", "http://ü.example",
        "http://a\"b",
    ])
    func `a target is an absolute URL of the web`(target: String) async throws {
        let escaped = target.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        let answer = try await HTTPTest().send(.put, "/v1/banners/7", "{\"target\":\"\(escaped)\"}")
        #expect(answer.status == 400)
        #expect(answer.error.contains("an absolute URL"))
    }

    @Test(arguments: [
        "http://a", "HTTPS://Example.com:8443/x?y=z#w", "http://user@host/", "http://[::1]:80/",
        "https://xn--4ca.example/%C3%BC",
    ])
    func `leads to the registered target and counts a click`(target: String) async throws {
        let test = HTTPTest()
        #expect(try await test.send(.put, "/v1/banners/7", "{\"target\":\"\(target)\"}").status == 200)
        let answer = try await test.get("/v1/click/7?target=https://evil.example/&url=https://evil.example/")
        #expect(answer.status == 302)
        #expect(answer.headers[.location] == target)
        #expect(answer.headers[.cacheControl] == "no-store")
        #expect(test.service.count(7) == 1)
    }

    @Test func `a link without a target is a 404 and counts nothing`() async throws {
        let test = HTTPTest()
        let answer = try await test.get("/v1/click/7")
        #expect(answer.status == 404)
        #expect(answer.error == "banner 7 has no target; give it one with PUT /v1/banners/7")
        #expect(test.service.count(7) == 0)
    }

    @Test func `what can't be saved is a 503, and a full directory a 403`() async throws {
        let test = HTTPTest(CountingInMemory(limit: 1))
        try await test.send(.put, "/v1/banners/7", "{}")
        #expect(try await test.send(.put, "/v1/banners/8", "{}").status == 403)
        #expect(try await test.send(.put, "/v1/banners/9223372036854775807", "{}").status == 403)
        test.service.set(\.registrationError, .unavailable("the disk is full"))
        for (method, uri, body) in [
            (HTTPRequest.Method.put, "/v1/banners/7", "{}"), (.delete, "/v1/banners/7", nil),
            (.post, "/v1/banners", #"{"names":["a"]}"#),
        ] {
            let answer = try await test.send(method, uri, body)
            #expect(answer.status == 503)
            #expect(answer.headers[.retryAfter] == "5")
        }
        test.service.set(\.registrationError, .idsExhausted)
        #expect(try await test.send(.post, "/v1/banners", #"{"names":["a"]}"#).status == 409)
    }
}
