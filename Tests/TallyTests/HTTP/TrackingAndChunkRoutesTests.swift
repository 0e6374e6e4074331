// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import TallyCore
import Testing

@testable import TallyServer

struct TrackingRoutesTests {
    @Test func `the pixel is a GIF of 43 bytes and counts an impression`() async throws {
        let test = HTTPTest()
        let answer = try await test.get("/v1/pixel/7?_=0.123")
        #expect(answer.status == 200)
        #expect(answer.type == "image/gif")
        #expect(answer.bytes.count == 43)
        #expect(answer.text.hasPrefix("GIF89a"))
        #expect(answer.bytes.last == 0x3B)
        #expect(answer.headers[.cacheControl] == "no-store")
        #expect(answer.headers[.tallyReceipt] == "test-log@1; durable=memory")
        #expect(test.service.count(7, .impression) == 1)
        #expect(test.service.count(7) == 0)
    }

    @Test func `a beacon counts what it is told, whatever its body says`() async throws {
        let test = HTTPTest()
        #expect(try await test.send(.post, "/v1/beacon/7", "{not json").status == 204)
        #expect(try await test.send(.post, "/v1/beacon/7?kind=seen&id=a").status == 204)
        #expect(try await test.send(.post, "/v1/beacon/7?kind=seen&id=a").status == 204)
        #expect(test.service.count(7) == 1)
        #expect(test.service.count(7, Kind("seen")!) == 1)
        #expect(try await test.send(.post, "/v1/beacon/7", bytes: Array(repeating: 0, count: 65_537)).status == 413)
    }
}

struct ChunkRoutesTests {
    private let node = NodeID(bits: 0xABC)

    private func chunk(_ sequence: UInt64) -> [UInt8] {
        var builder = ChunkBuilder()
        for banner in 1...3 {
            let event = CountedEvent(banner: BannerID(Int64(banner))!, kind: .click, minute: .first, count: 5)
            let fits = builder.add(event)
            #expect(fits)
        }
        return builder.chunk(node: node, sequence: sequence, time: .epoch).encoded()
    }

    @Test func `counts another node's chunk once, and says how far the node has come`() async throws {
        let test = HTTPTest()
        let first = try await test.send(.post, "/v1/chunks", bytes: chunk(1))
        #expect(first.text == #"{"accepted":3,"duplicate":false}"#)
        #expect(first.headers[.tallyReceipt] == "test-log@1; durable=memory")
        #expect(try await test.send(.post, "/v1/chunks", bytes: chunk(1)).text == #"{"accepted":0,"duplicate":true}"#)
        #expect(try await test.send(.post, "/v1/chunks", bytes: chunk(4)).status == 200)
        #expect(test.service.count(2) == 10)
        let uri = "/v1/nodes/00000000000000000000000000000abc"
        #expect(
            try await test.get(uri).text == #"{"node":"00000000000000000000000000000abc","lastSequence":4,"missing":2}"#
        )
    }

    @Test func `refuses what is no chunk`() async throws {
        let test = HTTPTest()
        for bytes in [[], Array("hello".utf8), chunk(1).dropLast(), chunk(1) + [0], [9] + chunk(1).dropFirst()] {
            let answer = try await test.send(.post, "/v1/chunks", bytes: Array(bytes))
            #expect(answer.status == 400)
            #expect(answer.isProblem)
        }
        let large = try await test.send(.post, "/v1/chunks", bytes: Array(repeating: 1, count: Limits.chunkBytes + 1))
        #expect(large.status == 413)
        #expect(test.service.isEmpty)
        #expect(
            try await HTTPTest(CountingInMemory(onlyRegistered: true)).send(.post, "/v1/chunks", bytes: chunk(1)).status
                == 404)
    }

    @Test(arguments: ["abc", "0000000000000000000000000000000g", "000000000000000000000000000000abc"])
    func `a node has exactly 32 digits`(node: String) async throws {
        let answer = try await HTTPTest().get("/v1/nodes/\(node)")
        #expect(answer.status == 400)
        #expect(answer.error.contains("exactly 32 hexadecimal digits"))
    }

    @Test func `an unknown node has come nowhere`() async throws {
        let answer = try await HTTPTest().get("/v1/nodes/000000000000000000000000000000FF")
        #expect(answer.text == #"{"node":"000000000000000000000000000000ff","lastSequence":0,"missing":0}"#)
    }
}
