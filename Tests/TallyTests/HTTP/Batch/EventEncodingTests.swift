// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPTypes
import TallyCore
import Testing

@testable import TallyServer

/// `/v1/events` with a Content-Encoding.
struct EventEncodingTests {
    private func send(
        _ bytes: [UInt8], _ encoding: String, to test: HTTPTest, live: Bool = false
    ) async throws -> Answer {
        try await test.send(.post, "/v1/events", bytes: bytes, headers: [.contentEncoding: encoding], live: live)
    }

    @Test(arguments: ["gzip", "GZIP", "x-gzip", " gzip ", "identity, gzip"])
    func `a packed body counts as it would unpacked`(encoding: String) async throws {
        let test = HTTPTest()
        let lines = (1...5_000).map { "{\"banner\":\($0 % 7 + 1)}\n" }.joined()
        let body = Array((lines + "{\"banner\":0}").utf8)
        let answer = try await send(Gzip.packed(body), encoding, to: test, live: encoding == "gzip")
        #expect(answer.status == 200)
        #expect(answer.json?["accepted"] as? Int == 5_000)
        #expect((answer.json?["rejected"] as? [[String: Any]])?.first?["line"] as? Int == 5_001)
        #expect((1...7).map { test.service.count($0) }.reduce(0, +) == 5_000)
    }

    @Test func `an array, two members and no encoding at all are fine`() async throws {
        let test = HTTPTest()
        let array = Gzip.packed(Array("[{\"banner\":1}]".utf8))
        #expect(try await send(array, "gzip", to: test).status == 200)
        let members = Gzip.packed(Array("{\"banner\":1}\n{\"ban".utf8)) + Gzip.packed(Array("ner\":1}\n".utf8))
        #expect(try await send(members, "gzip", to: test).json?["accepted"] as? Int == 2)
        #expect(try await send(Array("{\"banner\":1}".utf8), "identity", to: test).status == 200)
        #expect(test.service.count(1) == 4)
    }

    @Test(arguments: ["br", "zstd", "deflate", "gzip, gzip", "gzip, br", "none"])
    func `an encoding that is not known is named, with those that are`(encoding: String) async throws {
        let test = HTTPTest()
        let answer = try await send(Gzip.packed(Array("{\"banner\":1}".utf8)), encoding, to: test)
        #expect(answer.status == 415)
        #expect(answer.isProblem)
        #expect(answer.error == "the Content-Encoding is \"\(encoding)\"; allowed are gzip, identity")
        #expect(answer.headers[.acceptEncoding] == "gzip, identity")
        #expect(test.service.isEmpty)
        #expect(test.refusals("unknown_encoding") == 1)
    }

    @Test func `what is cut off, damaged or no gzip counts nothing`() async throws {
        let test = HTTPTest()
        let packed = Gzip.packed(Array("{\"banner\":1}\n{\"banner\":2}\n".utf8))
        var flipped = packed
        flipped[flipped.count - 6] ^= 1
        let wrong = [
            Array(packed.dropLast()), Array(packed.prefix(12)), flipped, Array("{\"banner\":1}".utf8), [], packed + [1],
        ]
        for bytes in wrong {
            let answer = try await send(bytes, "gzip", to: test)
            #expect(answer.status == 400)
            #expect(answer.error.hasPrefix("the body can't be unpacked: it is"), "\(answer.text)")
        }
        #expect(test.service.isEmpty)
        #expect(test.refusals("bad_gzip") == 6)
    }

    @Test func `a small body that unpacks to more than is allowed is refused, and counts nothing`() async throws {
        let test = HTTPTest()
        let line = Array("{\"banner\":1}\n".utf8)
        let body = Array(repeatElement(line, count: Limits.bodyBytes / line.count + 1).joined())
        let bomb = Gzip.packed(body)
        #expect(bomb.count < 100_000)
        let answer = try await send(bomb, "gzip", to: test, live: true)
        #expect(answer.status == 413)
        #expect(answer.headers[.connection] == "close")
        #expect(test.service.isEmpty)
    }

    @Test func `what bodies unpack to counts against what all bodies may take together`() async throws {
        var test = HTTPTest()
        test.configuration.bodiesBytes = 1 << 20
        let spaces = Gzip.packed(Array(repeating: 0x20, count: 2 << 20))
        #expect(try await send(spaces, "gzip", to: test).status == 503)
        #expect(test.refusals("overloaded") == 1)
    }
}
