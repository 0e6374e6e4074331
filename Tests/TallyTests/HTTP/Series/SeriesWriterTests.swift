// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import NIOCore
import TallyCore
import TallySimulator
import Testing

@testable import TallyServer

@Suite("The pieces of a series are the whole")
struct SeriesWriterTests {
    private static let first = Minute(unixSeconds: 1_733_997_600)!

    private func query(_ text: String) throws -> SeriesQuery {
        let path = "/v1/series?from=2024-12-12T10:00:00Z&to=2024-12-12T12:00:00Z&\(text)"
        let head = HTTPRequest(method: .get, scheme: nil, authority: nil, path: path)
        return try SeriesQuery(
            QueryParameters(Request(head: head, body: RequestBody(buffer: ByteBuffer()))),
            now: Timestamp(milliseconds: 0))
    }

    private func answer(_ query: SeriesQuery, using random: inout SeededGenerator) throws -> SeriesAnswer {
        let counts = (1...3).flatMap { banner in
            (0..<120).filter { _ in Bool.random(using: &random) }.map { minute in
                MinuteCount(
                    banner: BannerID(banner)!, kind: .click, minute: Self.first.advanced(by: minute),
                    count: .random(in: 1...999, using: &random))
            }
        }
        return try SeriesAnswer(
            query: query, counts: counts, freshness: Freshness(watermark: Self.first.advanced(by: 60)))
    }

    private func pieces(_ answer: SeriesAnswer, mostBytes: Int) -> [String] {
        var writer = SeriesWriter(answer)
        var pieces: [String] = []
        while let piece = writer.next(mostBytes: mostBytes) { pieces.append(String(buffer: piece)) }
        #expect(writer.hasEnded)
        return pieces
    }

    @Test(
        arguments: SeriesFormat.allCases,
        ["step=1m", "fill=zero", "step=5m&tz=Asia/Kolkata", "fill=zero&tz=Europe/Moscow", "traffic=all"])
    func `in each format, however large a piece is`(format: SeriesFormat, parameters: String) throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(seed: seed)
        let answer = try answer(try query("format=\(format.rawValue)&\(parameters)"), using: &random)
        let whole = pieces(answer, mostBytes: .max)
        #expect(whole.count == 1)
        for mostBytes in [1, 60, 61, 500, 4_096] {
            let parts = pieces(answer, mostBytes: mostBytes)
            #expect(parts.joined() == whole[0], "seed \(seed), pieces of \(mostBytes)")
            #expect(parts.count > 1 || mostBytes > 500)
        }
    }
}
