// SPDX-License-Identifier: Apache-2.0

/// What happened to a banner: `click`, `impression`, or a name of the user's, `[a-z][a-z0-9_]{0,31}`.
///
/// The invalid ones among the events of a kind are counted once more, under a kind that no user can name: `click.bot`,
/// `click.burst`. So whatever carries counts carries these, too.
package struct Kind: Hashable, Sendable {
    package let name: String

    package static let click = Kind(unchecked: "click")
    package static let impression = Kind(unchecked: "impression")

    /// A kind of the user's.
    /// - Returns: nil when `name` does not have the form above.
    package init?(_ name: some StringProtocol) {
        guard Kind.isUsers(name.utf8) else { return nil }
        self.name = String(name)
    }

    /// A kind as it stands in a chunk or a store: of the user's, or of the invalid ones of such a kind.
    package init?(stored name: some StringProtocol) {
        let bytes = name.utf8
        if let dot = bytes.firstIndex(of: UInt8(ascii: ".")) {
            guard Kind.isUsers(bytes[..<dot]), InvalidReason(rawValue: String(name[dot...].dropFirst())) != nil else {
                return nil
            }
        } else {
            guard Kind.isUsers(bytes) else { return nil }
        }
        self.name = String(name)
    }

    private init(unchecked name: String) { self.name = name }

    private static func isUsers(_ bytes: some Collection<UInt8>) -> Bool {
        guard let first = bytes.first, isLetter(first), bytes.count <= Limits.kindNameBytes else { return false }
        return bytes.allSatisfy { isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "_") }
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    /// What is allowed, for the message of an error.
    package static let allowed = "a kind is a lowercase letter followed by up to 31 of a-z, 0-9 and _"
}

// MARK: - Invalid events

extension Kind {
    /// The kind of the events among these that are invalid for this reason.
    package func invalid(_ reason: InvalidReason) -> Kind {
        precondition(self.reason == nil, "the invalid events of a kind have none among them")
        return Kind(unchecked: "\(name).\(reason.rawValue)")
    }

    /// Why the events of this kind are invalid; nil for a kind of the user's.
    package var reason: InvalidReason? {
        guard let dot = name.utf8.firstIndex(of: UInt8(ascii: ".")) else { return nil }
        return InvalidReason(rawValue: String(name[dot...].dropFirst()))
    }

    /// The user's kind whose invalid events these are; itself when it is the user's.
    package var base: Kind {
        guard let dot = name.utf8.firstIndex(of: UInt8(ascii: ".")) else { return self }
        return Kind(unchecked: String(name[..<dot]))
    }

    /// Itself, and those of its invalid events.
    package var withInvalid: [Kind] { [self] + InvalidReason.allCases.map(invalid) }
}

extension Kind: Comparable {
    /// By bytes, so that the order is the same on every machine. Behind a kind stand, at once, those of its invalid events.
    package static func < (left: Kind, right: Kind) -> Bool {
        left.name.utf8.lexicographicallyPrecedes(right.name.utf8)
    }
}

extension Kind: CustomStringConvertible {
    package var description: String { name }
}
