// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TallyGzip

struct GzipDecoderTests {
    /// Unpacks in pieces of so many bytes.
    private func decode(_ bytes: [UInt8], by size: Int = .max) throws(GzipDecoder.Problem) -> String {
        let decoder = GzipDecoder()
        var contents: [UInt8] = []
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count - start, size) + start
            contents += try decoder.decode(Array(bytes[start..<end]))
            start = end
        }
        try decoder.finish()
        return String(decoding: contents, as: UTF8.self)
    }

    @Test("several members are one content, whatever pieces they come in", arguments: [1, 2, 3, 7, 28, 29, 1_000])
    func unpacksMembers(size: Int) throws {
        #expect(try decode(GzipSample.first + GzipSample.second, by: size) == "one\ntwo\nthree\n")
    }

    @Test("cut off anywhere within a member it is truncated, whatever pieces it comes in", arguments: [1, 1_000])
    func noticesTruncation(size: Int) {
        let whole = GzipSample.first + GzipSample.second
        for length in 0..<whole.count where length != GzipSample.first.count {
            #expect(throws: GzipDecoder.Problem.truncated, "cut at \(length)") {
                try decode(Array(whole[..<length]), by: size)
            }
        }
    }

    @Test func aFlippedBitIsDamage() {
        for position in [2, 12, 20, 24] {
            var bytes = GzipSample.first
            bytes[position] ^= 0x10
            #expect(throws: GzipDecoder.Problem.self, "flipped at \(position)") { try decode(bytes) }
        }
    }

    @Test("zeros behind the end are padding", arguments: [1, 1_000])
    func skipsPadding(size: Int) throws {
        #expect(try decode(GzipSample.first + [0, 0, 0], by: size) == "one\ntwo\n")
    }

    @Test func anythingElseBehindTheEndIsDamage() {
        #expect(throws: GzipDecoder.Problem.self) { try decode(GzipSample.first + Array("more text".utf8)) }
        #expect(throws: GzipDecoder.Problem.self) { try decode(GzipSample.first + [0, 0] + GzipSample.second) }
    }

    @Test func theFirstTwoBytesTellGzip() {
        #expect(GzipDecoder.isGzip(GzipSample.first))
        #expect(!GzipDecoder.isGzip([0x1F]))
        #expect(!GzipDecoder.isGzip(Array("text".utf8)))
    }
}
