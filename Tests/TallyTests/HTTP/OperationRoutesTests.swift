// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPTypes
import Hummingbird
import TallyCore
import Testing

@testable import TallyServer

struct OperationRoutesTests {
    @Test func `says that it lives and whether it is ready`() async throws {
        let test = HTTPTest()
        #expect(try await test.get("/healthz").text == "ok\n")
        #expect(try await test.get("/readyz").status == 200)
        test.service.set(\.readiness, .notReady(reasons: ["the journal failed", "the disk is full"]))
        let answer = try await test.get("/readyz")
        #expect(answer.status == 503)
        #expect(answer.text == "the journal failed\nthe disk is full\n")
        #expect(try await test.get("/healthz").status == 200)
        #expect(try await test.get("/").text.contains("/openapi.json"))
        #expect(try await test.send(.head, "/").bytes.isEmpty)
    }

    @Test func `says of a role whether it is ready for that`() async throws {
        let test = HTTPTest()
        let waiting = "partition 3: the log is read from the last checkpoint on: offset 5 of 9"
        test.service.set(\.readiness, .notReady(reasons: [waiting]))
        test.service.set(
            \.readinessOfRoles,
            [
                .ingest: .counting(butNot: "the store is away"), .aggregate: .counting(butNot: "the store is away"),
                .query: .notReady(reasons: [waiting]),
            ])
        let ingest = try await test.get("/readyz?role=ingest")
        #expect(ingest.status == 200 && ingest.text == "ready: counting goes on, but the store is away\n")
        let aggregate = try await test.get("/readyz?role=aggregate")
        #expect(aggregate.status == 200 && aggregate.text == "ready, but the store is away\n")
        for path in ["/readyz?role=query", "/readyz", "/readyz?role="] {
            let answer = try await test.get(path)
            #expect(answer.status == 503 && answer.text == waiting + "\n", "\(path)")
        }
    }

    @Test(arguments: ["role=reader", "role=ingest,query", "role=ingest&role=query", "roles=ingest"])
    func `what is no role is refused with what is allowed`(query: String) async throws {
        let answer = try await HTTPTest().get("/readyz?\(query)")
        #expect(answer.status == 400)
        #expect(answer.error.contains("role"))
        if query.hasPrefix("role=reader") { #expect(answer.error.contains("allowed are ingest, aggregate, query")) }
    }

    @Test func `a role that the server does not have is not found`() async throws {
        let test = HTTPTest()
        test.service.set(\.roles, [.ingest])
        #expect(try await test.get("/readyz?role=ingest").status == 200)
        let answer = try await test.get("/readyz?role=query")
        #expect(answer.status == 404)
        #expect(answer.error.contains("this needs query"))
    }

    @Test func `the metrics count requests and refusals`() async throws {
        let test = HTTPTest()
        try await test.send(.post, "/counter/7")
        try await test.send(.post, "/counter/0")
        let answer = try await test.get("/metrics")
        #expect(answer.type == "text/plain; version=0.0.4; charset=utf-8")
        let lines = Set(answer.text.split(separator: "\n"))
        #expect(lines.contains(#"tally_http_requests_total{method="POST",route="/counter/{id}",status="2xx"} 1"#))
        #expect(lines.contains(#"tally_http_requests_total{method="POST",route="/counter/{id}",status="4xx"} 1"#))
        #expect(lines.contains(#"tally_http_refusals_total{reason="bad_banner_id"} 1"#))
        #expect(lines.contains(#"tally_http_request_seconds_count{method="POST",route="/counter/{id}"} 2"#))
    }

    @Test(arguments: [
        (HTTPRequest.Method.get, "/v1/nothing", 404), (.get, "/v1", 404), (.get, "/v1/counter/1/2", 404),
        (.get, "/nothing", 404),
        (.get, "/counter", 404), (.post, "/counter/", 404),
    ])
    func `an unknown path is a 404`(method: HTTPRequest.Method, path: String, status: Int) async throws {
        let answer = try await HTTPTest().send(method, path)
        #expect(answer.status == status)
        #expect(answer.isProblem == path.hasPrefix("/v1"))
        #expect(answer.error.contains("/openapi.json"))
    }

    @Test(arguments: [
        (HTTPRequest.Method.delete, "/counter/1", "GET, HEAD, POST"), (.get, "/stats/1", "POST"),
        (.get, "/v1/events", "POST"),
        (.put, "/v1/series", "GET, HEAD"), (.post, "/v1/banners/1", "DELETE, GET, HEAD, PUT"),
        (.patch, "/v1/banners", "GET, HEAD, POST"),
    ])
    func `a method that is not allowed is a 405 that says which are`(
        method: HTTPRequest.Method, path: String, allowed: String
    ) async throws {
        let test = HTTPTest()
        let answer = try await test.send(method, path)
        #expect(answer.status == 405)
        #expect(answer.headers[.allow] == allowed)
        #expect(answer.isProblem == path.hasPrefix("/v1"))
        #expect(test.refusals("method_not_allowed") == 1)
    }

    @Test func `totals are over everything, and without first and last where there is nothing`() async throws {
        let test = HTTPTest()
        #expect(try await test.get("/v1/totals").text == #"{"total":0,"kinds":[],"banners":0}"#)
        try await test.send(
            .post, "/v1/events?backfill=true",
            #"[{"banner":1,"ts":0,"n":3},{"banner":2,"kind":"impression"},{"banner":3}]"#)
        #expect(
            try await test.get("/v1/totals").text
                == #"{"total":5,"kinds":[{"kind":"click","v":4},{"kind":"impression","v":1}],"banners":3,"#
                + #""first":"1970-01-01T00:00:00Z","last":"2024-12-12T10:05:00Z"}"#)
    }

    @Test func `the top is by count, then by id, within the window`() async throws {
        let test = HTTPTest()
        try await test.send(.put, "/v1/banners/3", #"{"name":"/c"}"#)
        try await test.send(
            .post, "/v1/events",
            #"[{"banner":1,"n":2},{"banner":2,"n":5,"ts":"2024-12-12T09:05:59Z"},{"banner":3,"n":9},{"banner":4,"n":2},{"banner":4,"kind":"seen","n":9}]"#
        )
        #expect(
            try await test.get("/v1/top").text
                == #"{"from":"2024-12-12T09:06:00Z","to":"2024-12-12T10:06:00Z","top":[{"banner":3,"name":"/c","v":9},"#
                + #"{"banner":1,"name":null,"v":2},{"banner":4,"name":null,"v":2}]}"#)
        #expect(
            try await test.get("/v1/top?window=61m&limit=2").text.hasSuffix(#""v":9},{"banner":2,"name":null,"v":5}]}"#)
        )
        #expect(
            try await test.get("/v1/top?window=7d&kind=seen").text.hasSuffix(
                #""top":[{"banner":4,"name":null,"v":9}]}"#))
        for query in [
            "window=0m", "window=1", "window=h", "window=367d", "window=9999999m", "window=-1h", "limit=0",
            "limit=1001", "kind=K",
        ] {
            #expect(try await test.get("/v1/top?\(query)").status == 400, "\(query)")
        }
    }
}

struct OpenAPITests {
    /// The document and the router name the same routes, parameters in the path included.
    @Test func `every route stands in the description, and nothing else does`() throws {
        let document = try #require(
            try JSONSerialization.jsonObject(with: Data(PackageResources.openapi_json)) as? NSDictionary)
        #expect(document["openapi"] as? String == "3.1.0")
        let paths = try #require(document["paths"] as? [String: [String: Any]])
        let methods: Set = ["get", "post", "put", "delete", "head", "patch", "options", "trace"]
        let described = paths.flatMap { path, item in
            item.keys.filter(methods.contains).map { "\($0.uppercased()) \(path)" }
        }
        let test = HTTPTest()
        let routes = allRoutes(service: test.service, metrics: test.metrics, configuration: test.configuration)
        #expect(Set(described).sorted() == routes.map { "\($0.method.rawValue) \($0.path)" }.sorted())
    }

    @Test func `every reference leads somewhere, and every operation says what it answers`() throws {
        let document = try #require(
            try JSONSerialization.jsonObject(with: Data(PackageResources.openapi_json)) as? [String: Any])
        var references: Set<String> = []
        func visit(_ value: Any) {
            if let object = value as? [String: Any] {
                if let reference = object["$ref"] as? String { references.insert(reference) }
                object.values.forEach(visit)
            } else if let array = value as? [Any] {
                array.forEach(visit)
            }
        }
        visit(document)
        #expect(!references.isEmpty)
        for reference in references {
            let parts = reference.split(separator: "/").dropFirst()
            let target = parts.reduce(document as Any?) { ($0 as? [String: Any])?[String($1)] }
            #expect(reference.hasPrefix("#/") && target != nil, "\(reference)")
        }
        for (path, item) in try #require(document["paths"] as? [String: [String: Any]]) {
            for (method, operation) in item where method != "parameters" {
                let operation = try #require(operation as? [String: Any])
                #expect(operation["summary"] is String, "\(method) \(path)")
                #expect((operation["responses"] as? [String: Any])?.isEmpty == false, "\(method) \(path)")
            }
        }
    }

    @Test func `is served as it is`() async throws {
        let answer = try await HTTPTest().get("/openapi.json")
        #expect(answer.type == "application/json")
        #expect(answer.bytes == PackageResources.openapi_json)
    }
}
