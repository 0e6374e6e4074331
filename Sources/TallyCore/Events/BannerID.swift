// SPDX-License-Identifier: Apache-2.0

/// What is counted: an integer from 1 to 9223372036854775807.
package struct BannerID: Hashable, Sendable {
    package let value: Int64

    /// - Returns: nil when `value` is less than 1.
    package init?(_ value: Int64) {
        guard value >= 1 else { return nil }
        self.value = value
    }

    /// Reads decimal digits alone: no sign, no spaces, no other script's digits.
    /// - Returns: nil for anything else, for 0, and for what doesn't fit.
    package init?(digits: some StringProtocol) {
        let bytes = digits.utf8
        guard (1...19).contains(bytes.count) else { return nil }
        var value: Int64 = 0
        for byte in bytes {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            let (tenfold, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tenfold.addingReportingOverflow(Int64(byte - UInt8(ascii: "0")))
            guard !overflow, !carry else { return nil }
            value = sum
        }
        self.init(value)
    }

    package static let lowest = BannerID(unchecked: 1)
    package static let highest = BannerID(unchecked: .max)

    private init(unchecked value: Int64) { self.value = value }

    /// What is allowed, for the message of an error.
    package static let allowed = "a banner id is an integer from 1 to 9223372036854775807"
}

extension BannerID: Comparable {
    package static func < (left: BannerID, right: BannerID) -> Bool { left.value < right.value }
}

extension BannerID: CustomStringConvertible {
    package var description: String { String(value) }
}
