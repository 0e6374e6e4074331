// SPDX-License-Identifier: Apache-2.0

/// Who made a chunk: a server's journal, or an import, whose id is its file's fingerprint. 128 bits, written as 32 hex digits.
package struct NodeID: Hashable, Sendable {
    package let bits: UInt128

    package init(bits: UInt128) { self.bits = bits }

    /// Reads exactly 32 hexadecimal digits.
    package init?(hex: some StringProtocol) {
        guard hex.utf8.count == 32, hex.utf8.allSatisfy({ Character(UnicodeScalar($0)).isHexDigit }),
            let bits = UInt128(hex, radix: 16)
        else { return nil }
        self.bits = bits
    }
}

extension NodeID: Comparable {
    package static func < (left: NodeID, right: NodeID) -> Bool { left.bits < right.bits }
}

extension NodeID: CustomStringConvertible {
    package var description: String {
        let digits = String(bits, radix: 16)
        return String(repeating: "0", count: 32 - digits.count) + digits
    }
}
