// SPDX-License-Identifier: Apache-2.0

import TallyCore
import Testing

struct ExactTextTests {
    @Test(
        "texts that String takes for equal are different",
        arguments: [
            ("\u{E9}", "e\u{301}"), ("\u{2126}", "\u{3A9}"), ("\u{AC00}", "\u{1100}\u{1161}"), ("\u{212A}", "K"),
        ])
    func bytes(left: String, right: String) {
        #expect(left == right, "the case is one of canonical equivalence")
        #expect(ExactText(left) != ExactText(right))
        #expect(Set([left, right, left].map { ExactText($0) }).count == 2)
        #expect((ExactText(left) < ExactText(right)) == left.utf8.lexicographicallyPrecedes(right.utf8))
    }

    @Test func `texts of the same bytes are equal, wherever they come from`() {
        let long = String(repeating: "é", count: 100)
        #expect(ExactText(long) == ExactText(("x" + long).dropFirst()))
        #expect(ExactText(long).hashValue == ExactText(("x" + long).dropFirst()).hashValue)
        #expect(Set([["a", "b"], ["ab", ""], ["", "ab"]].map { $0.map { ExactText($0) } }).count == 3)
    }
}
