// SPDX-License-Identifier: Apache-2.0

/// What happened to a banner: `click`, `impression`, or a name of the user's, `[a-z][a-z0-9_]{0,31}`.
package struct Kind: Hashable, Sendable {
    package let name: String

    package static let click = Kind(unchecked: "click")
    package static let impression = Kind(unchecked: "impression")

    /// - Returns: nil when `name` does not have the form above.
    package init?(_ name: some StringProtocol) {
        let bytes = name.utf8
        guard let first = bytes.first, bytes.count <= Limits.kindNameBytes else { return nil }
        guard Kind.isLetter(first),
            bytes.allSatisfy({ Kind.isLetter($0) || Kind.isDigit($0) || $0 == UInt8(ascii: "_") })
        else { return nil }
        self.name = String(name)
    }

    private init(unchecked name: String) { self.name = name }

    private static func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    /// What is allowed, for the message of an error.
    package static let allowed = "a kind is a lowercase letter followed by up to 31 of a-z, 0-9 and _"
}

extension Kind: Comparable {
    /// By bytes, so that the order is the same on every machine.
    package static func < (left: Kind, right: Kind) -> Bool {
        left.name.utf8.lexicographicallyPrecedes(right.name.utf8)
    }
}

extension Kind: CustomStringConvertible {
    package var description: String { name }
}
