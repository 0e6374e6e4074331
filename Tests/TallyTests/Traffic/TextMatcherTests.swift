// SPDX-License-Identifier: Apache-2.0

import TallySimulator
import Testing

@testable import TallyServer

struct TextMatcherTests {
    private func matches(_ matcher: TextMatcher, _ text: String) -> Bool {
        Array(text.utf8).withUnsafeBytes { matcher.matches($0) }
    }

    @Test func `a text stands anywhere, at the beginning, or at the end`() {
        let matcher = TextMatcher(["bot/", "^curl", "Labs$", "^exact$", " sentry/"])
        for text in ["bot/", "a bot/1", "curl/8", "SSL Labs", "exact", "x sentry/1", "bobot/"] {
            #expect(matches(matcher, text), "\(text)")
        }
        for text in [
            "", "bot", "Bot/", "a curl", "Labs ", "exact ", " exact", "sentry/", "^curl", "Labs$", "bo\u{0}t/",
        ] {
            #expect(!matches(matcher, text), "\(text)")
        }
    }

    @Test func `a text within another, and one that begins within another, are found`() {
        let matcher = TextMatcher(["abcd", "bc", "bcx", "cde"])
        #expect(matches(matcher, "abc"))
        #expect(matches(TextMatcher(["abcd", "bce"]), "abce"))
        #expect(!matches(TextMatcher(["abcd", "bce"]), "abcabd"))
        #expect(matches(TextMatcher(["aab"]), "aaaab"))
    }

    @Test func `no text stands in nothing, and no texts in anything`() {
        #expect(!matches(TextMatcher([]), "anything"))
        #expect(!matches(TextMatcher(["a"]), ""))
    }

    @Test func `what it finds, a search for each text finds`() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(seed: seed)
        func text(_ lengths: ClosedRange<Int>) -> String {
            String((0..<Int.random(in: lengths, using: &random)).map { _ in "abc".randomElement(using: &random)! })
        }
        for _ in 0..<300 {
            let texts = (0..<Int.random(in: 1...8, using: &random)).map { _ in
                let text = text(1...5)
                return switch Int.random(in: 0..<5, using: &random) {
                case 0: "^" + text
                case 1: text + "$"
                default: text
                }
            }
            let matcher = TextMatcher(texts)
            for _ in 0..<20 {
                let searched = text(0...12)
                let marked = "^" + searched + "$"
                let expected = texts.contains { marked.contains($0) }
                #expect(matches(matcher, searched) == expected, "\(texts) in \(searched), seed \(seed)")
            }
        }
    }
}
