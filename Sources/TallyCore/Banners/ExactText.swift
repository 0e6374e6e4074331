// SPDX-License-Identifier: Apache-2.0

/// Text that is compared by its bytes of UTF-8, as every store compares it.
///
/// `String` compares by canonical equivalence (UAX #15): to it, a composed and a decomposed é are equal. Names, targets and tags
/// come from outside and are never normalised, so whatever compares them uses this type.
package struct ExactText: Hashable, Sendable {
    package let text: String

    package init(_ text: some StringProtocol) { self.text = String(text) }

    package static func == (left: ExactText, right: ExactText) -> Bool { left.text.utf8.elementsEqual(right.text.utf8) }

    package func hash(into hasher: inout Hasher) {
        for byte in text.utf8 { hasher.combine(byte) }
        hasher.combine(0xFF as UInt8)  // Never a byte of UTF-8, so the texts of an array stay apart.
    }
}

extension ExactText: Comparable {
    package static func < (left: ExactText, right: ExactText) -> Bool {
        left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
    }
}
