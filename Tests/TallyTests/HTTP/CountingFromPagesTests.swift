// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Testing

@testable import TallyServer

/// What browsers do around a counting request: they ask ahead, and they ask whether they may.
struct CountingFromPagesTests {
    private static let ahead: [(HTTPField.Name, String)] = [
        (HTTPField.Name("Sec-Purpose")!, "prefetch"), (HTTPField.Name("Sec-Purpose")!, "prefetch;prerender"),
        (HTTPField.Name("Purpose")!, "prefetch"), (HTTPField.Name("Purpose")!, "Preview"),
        (HTTPField.Name("X-Moz")!, "prefetch"), (HTTPField.Name("X-Purpose")!, "preview"),
    ]

    @Test(arguments: ahead)
    func `what a browser asks ahead of its user is answered, shown and not counted`(
        name: HTTPField.Name, value: String
    ) async throws {
        let test = HTTPTest()
        try await test.send(.put, "/v1/banners/1", #"{"target":"https://example.org/"}"#)
        for (method, path, status) in [
            (HTTPRequest.Method.get, "/v1/pixel/1", 200), (.get, "/v1/click/1", 302), (.post, "/v1/beacon/1", 204),
            (.get, "/counter/1", 204), (.post, "/counter/1", 204),
        ] {
            let answer = try await test.send(method, path, headers: [name: value])
            #expect(answer.status == status, "\(path)")
            #expect(answer.headers[.tallyReceipt] == nil)
            #expect(answer.headers[.cacheControl] == "no-store", "else it would be shown later without being counted")
        }
        #expect(test.service.isEmpty)
        #expect(test.metrics.prefetches.value == 5)
        #expect(try await test.get("/metrics").text.contains("\ntally_prefetches_total 5\n"))
        #expect(try await test.get("/v1/status").text.contains(#""prefetched":5"#))
    }

    @Test func `other purposes count, and a banner that is refused is refused ahead of time, too`() async throws {
        let test = HTTPTest()
        try await test.send(.post, "/counter/1", headers: [HTTPField.Name("Sec-Purpose")!: "fictitious"])
        #expect(test.service.count(1) == 1)
        let strict = HTTPTest(CountingInMemory(onlyRegistered: true))
        let answer = try await strict.send(.post, "/counter/9", headers: [HTTPField.Name("Purpose")!: "prefetch"])
        #expect(answer.status == 404)
        #expect(strict.metrics.prefetches.value == 0)
    }

    @Test(arguments: ["/counter/1", "/v1/pixel/1", "/v1/click/1", "/v1/beacon/1"])
    func `a page of any origin may see the answer, without credentials`(path: String) async throws {
        let test = HTTPTest()
        let preflight = try await test.send(
            .options, path, headers: [.origin: "https://shop.example", .accessControlRequestMethod: "POST"])
        #expect(preflight.status == 204)
        #expect(preflight.headers[.accessControlAllowOrigin] == "*")
        #expect(preflight.headers[.accessControlAllowMethods] == "GET, HEAD, POST")
        let isPost = path.contains("beacon")
        let answer = try await test.send(isPost ? .post : .get, path, headers: [.origin: "https://shop.example"])
        #expect(answer.headers[.accessControlAllowOrigin] == "*")
        #expect(answer.headers[.accessControlAllowCredentials] == nil)
        #expect(test.service.isEmpty == path.contains("click"), "the one without a target is a 404")
    }

    @Test(arguments: [
        (nil, "Content-Type"), ("", "Content-Type"), ("content-type", "Content-Type"),
        ("content-type,traceparent", "Content-Type, traceparent"),
        ("baggage, sentry-trace ,tracestate", "Content-Type, baggage, sentry-trace, tracestate"),
        ("x-datadog-trace-id,x-datadog-origin", "Content-Type, x-datadog-trace-id, x-datadog-origin"),
        ("*,a b,é,\"x\",:path,,ok", "Content-Type, *, ok"),
        (String(repeating: "a", count: 4_096), "Content-Type, " + String(repeating: "a", count: 4_096)),
        (String(repeating: "a", count: 4_097), "Content-Type"),
    ])
    func `a preflight allows the fields that the page's scripts add`(asked: String?, allowed: String) {
        #expect(RequestedFields.allowed(asked.map { [$0] } ?? []) == allowed)
    }

    @Test func `a beacon with tracing fields passes its preflight`() async throws {
        var test = HTTPTest()
        let asked = HTTPField.Name("Access-Control-Request-Headers")!
        let headers: HTTPFields = [
            .origin: "https://shop.example", .accessControlRequestMethod: "POST", asked: "content-type,traceparent",
        ]
        let preflight = try await test.send(.options, "/v1/beacon/7", headers: headers)
        #expect(preflight.status == 204)
        #expect(preflight.headers[.accessControlAllowHeaders] == "Content-Type, traceparent")
        test.configuration.allowedOrigins = try #require(AllowedOrigins("https://a.example"))
        let refused = try await test.send(.options, "/v1/beacon/7", headers: headers)
        #expect(refused.headers[.accessControlAllowHeaders] == nil)
    }

    @Test func `only the origins that were named may see the answer, and all count`() async throws {
        var test = HTTPTest()
        test.configuration.allowedOrigins = try #require(AllowedOrigins("https://a.example,http://localhost:8080"))
        let one = try await test.send(.post, "/v1/beacon/1", headers: [.origin: "https://A.example"])
        #expect(one.headers[.accessControlAllowOrigin] == "https://A.example")
        #expect(one.headers[.vary] == "Origin")
        let other = try await test.send(.post, "/v1/beacon/1", headers: [.origin: "https://b.example"])
        #expect(other.headers[.accessControlAllowOrigin] == nil)
        #expect(other.headers[.vary] == "Origin")
        let preflight = try await test.send(
            .options, "/v1/beacon/1", headers: [.origin: "https://b.example", .accessControlRequestMethod: "POST"])
        #expect(preflight.status == 204 && preflight.headers[.accessControlAllowMethods] == nil)
        #expect(test.service.count(1) == 2)
    }

    @Test func `what is not for pages stays closed to them`() async throws {
        let test = HTTPTest()
        let headers: HTTPFields = [.origin: "https://a.example", .accessControlRequestMethod: "PUT"]
        #expect(try await test.send(.options, "/v1/banners/1", headers: headers).status == 405)
        #expect(try await test.get("/v1/totals", headers: headers).headers[.accessControlAllowOrigin] == nil)
        #expect(try await test.send(.options, "/counter/1").status == 405)
    }

    @Test(arguments: [
        "", "a.example", "https://a.example/", "https://a.example,", "ftp://a", "https://*", "https://", "null",
    ])
    func `what is no origin is not allowed`(text: String) { #expect(AllowedOrigins(text) == nil) }
}
