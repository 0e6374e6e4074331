// SPDX-License-Identifier: Apache-2.0

/// The identity of a log. A new or emptied journal has a new one, so that its offsets never meet rows of the old one.
/// 1 to 128 characters of a-z, A-Z, 0-9 and `:._/-`.
package struct LogID: Hashable, Sendable {
    package let name: String

    package init?(_ name: some StringProtocol) {
        guard (1...128).contains(name.utf8.count), name.utf8.allSatisfy(LogID.isAllowed) else { return nil }
        self.name = String(name)
    }

    /// The log of the journal with this identity.
    package init(journal identity: NodeID) { self.name = "journal-\(identity)" }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: ":._/-".utf8.contains(byte)
        }
    }
}

extension LogID: Comparable {
    package static func < (left: LogID, right: LogID) -> Bool {
        left.name.utf8.lexicographicallyPrecedes(right.name.utf8)
    }
}

extension LogID: CustomStringConvertible {
    package var description: String { name }
}

/// The place of a chunk in its log. The first chunk has offset 1; `none` (0) stands before it.
package struct LogOffset: Hashable, Sendable {
    package let value: Int64

    package static let none = LogOffset(0)

    package init(_ value: Int64) {
        precondition(value >= 0, "an offset is never negative")
        self.value = value
    }

    package var next: LogOffset { LogOffset(value + 1) }
}

extension LogOffset: Comparable {
    package static func < (left: LogOffset, right: LogOffset) -> Bool { left.value < right.value }
}

extension LogOffset: CustomStringConvertible {
    package var description: String { String(value) }
}
