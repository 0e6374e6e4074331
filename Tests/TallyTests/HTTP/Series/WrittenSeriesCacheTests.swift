// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import NIOCore
import TallyCore
import Testing

@testable import TallyServer

@Suite("What was written is used again")
struct WrittenSeriesCacheTests {
    private static let first = Minute(unixSeconds: 1_733_997_600)!
    private let question = WrittenSeriesCache.Question(parameters: "banner=1", minutes: first..<first.advanced(by: 60))
    private let other = WrittenSeriesCache.Question(parameters: "banner=2", minutes: first..<first.advanced(by: 60))

    private func counted(_ count: Int64, watermark: Minute = first) -> Counted<[MinuteCount]> {
        Counted(
            [MinuteCount(banner: BannerID(1)!, kind: .click, minute: Self.first, count: count)],
            Freshness(watermark: watermark))
    }

    private func answer(_ text: String) -> WrittenSeries {
        WrittenSeries(headers: [.contentType: "application/json"], body: ByteBuffer(string: text))
    }

    private func text(_ answer: WrittenSeries?) -> String? { answer.map { String(buffer: $0.body) } }

    @Test func `for the same question and the same counts alone`() {
        let cache = WrittenSeriesCache()
        cache.remember(answer("one"), to: question, counted(1))
        #expect(text(cache.answer(to: question, counted(1))) == "one")
        #expect(cache.answer(to: question, counted(1))?.headers[.contentType] == "application/json")
        #expect(cache.answer(to: question, counted(2)) == nil)
        #expect(cache.answer(to: question, counted(1, watermark: Self.first.advanced(by: 1))) == nil)
        #expect(cache.answer(to: other, counted(1)) == nil)
        let later = WrittenSeriesCache.Question(
            parameters: "banner=1", minutes: Self.first.advanced(by: 1)..<Self.first.advanced(by: 61))
        #expect(cache.answer(to: later, counted(1)) == nil)
    }

    @Test func `the last answer to a question takes the place of the one before`() {
        let cache = WrittenSeriesCache(mostBytes: 4 * 2_000)
        // Each takes more than half a kilobyte: were they added up, there would be no room for the other question's.
        cache.remember(answer("other"), to: other, counted(1))
        for number in 1...100 { cache.remember(answer("\(number)"), to: question, counted(Int64(number))) }
        #expect(text(cache.answer(to: question, counted(100))) == "100")
        #expect(cache.answer(to: question, counted(99)) == nil)
        #expect(text(cache.answer(to: other, counted(1))) == "other")
    }

    @Test func `no more is kept than there may be, and nothing that would take most of it`() {
        let cache = WrittenSeriesCache(mostBytes: 4 * 2_000)
        cache.remember(answer("small"), to: question, counted(1))
        cache.remember(answer(String(repeating: "x", count: 2_000)), to: other, counted(1))
        #expect(cache.answer(to: other, counted(1)) == nil)
        #expect(text(cache.answer(to: question, counted(1))) == "small")
        for number in 1...20 {
            let question = WrittenSeriesCache.Question(parameters: "banner=\(number)", minutes: question.minutes)
            cache.remember(answer("\(number)"), to: question, counted(1))
            #expect(text(cache.answer(to: question, counted(1))) == "\(number)")
        }
        let kept = (1...20).filter { number in
            let question = WrittenSeriesCache.Question(parameters: "banner=\(number)", minutes: question.minutes)
            return cache.answer(to: question, counted(1)) != nil
        }
        #expect(kept.count < 16, "each takes more than 512 bytes")
    }
}
