// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPTypes
import Testing

@testable import TallyServer

struct BannerSearchTests {
    private func ids(_ test: HTTPTest, _ query: String) async throws -> [Int] {
        let json = try await test.get("/v1/banners?\(query)").json
        return try #require(json?["banners"] as? [[String: Any]]).compactMap { $0["id"] as? Int }
    }

    @Test func `finds banners by a part of the name or the beginning of the id`() async throws {
        let test = HTTPTest()
        for (id, name) in [(3, "Summer Sale"), (31, "winter"), (40, "SALE 31"), (5, "Распродажа")] {
            try await test.send(.put, "/v1/banners/\(id)", #"{"name":"\#(name)"}"#)
        }
        try await test.send(.post, "/counter/311")
        #expect(try await ids(test, "search=sale") == [3, 40])
        #expect(try await ids(test, "search=31") == [31, 40, 311])
        #expect(try await ids(test, "search=%D0%A0%D0%90%D0%A1%D0%9F") == [5])
        #expect(try await ids(test, "search=nothing") == [])
        #expect(try await ids(test, "search=") == [3, 5, 31, 40, 311])
    }

    @Test func `pages of a search lead to all that it finds`() async throws {
        let test = HTTPTest()
        for first in stride(from: 0, to: 5_000, by: 1_000) {
            let names = (first..<first + 1_000).map { #""banner \#($0)""# }.joined(separator: ",")
            try await test.send(.post, "/v1/banners", #"{"names":[\#(names)]}"#)
        }
        var found: [Int] = []
        var after = ""
        repeat {
            let page = try #require(try await test.get("/v1/banners?limit=7&search=banner%2049\(after)").json)
            found += try #require(page["banners"] as? [[String: Any]]).compactMap { $0["id"] as? Int }
            after = (page["next"] as? Int).map { "&after=\($0)" } ?? ""
        } while !after.isEmpty
        // 49, 490…499 and 4900…4999; ids begin at 1.
        #expect(found == [50] + Array(491...500) + Array(4_901...5_000))
    }

    @Test func `totals may be of a range`() async throws {
        let test = HTTPTest()
        try await test.send(
            .post, "/v1/events",
            #"[{"banner":1,"ts":"2024-12-12T10:00:00Z"},{"banner":2,"ts":"2024-12-12T10:01:00Z"},{"banner":2,"n":5}]"#)
        func total(_ query: String) async throws -> Int? {
            try await test.get("/v1/totals?\(query)").json?["total"] as? Int
        }
        #expect(try await total("") == 7)
        #expect(try await total("from=2024-12-12T10:01:00Z") == 6)
        #expect(try await total("to=2024-12-12T10:01:00Z") == 1)
        #expect(try await total("from=2024-12-12T10:00:00Z&to=2024-12-12T10:02:00Z") == 2)
        #expect(try await total("from=2024-12-12T10:00:00Z&to=2024-12-12T10:00:59Z") == 0)
        #expect(try await test.get("/v1/totals?from=2024-12-12T10:01:00Z&to=2024-12-12T10:00:00Z").status == 400)
        #expect(try await test.get("/v1/totals?kind=click").status == 400)
    }
}
