// SPDX-License-Identifier: Apache-2.0

import TallyCore

extension BannerID {
    /// The largest integer up to which a JSON number is exact for every client: 2^53 - 1 (RFC 8259, section 6), which is
    /// `Number.MAX_SAFE_INTEGER` of JavaScript.
    static let maximumJSONNumber: Int64 = (1 << 53) - 1

    /// The id in an answer: a number, or a string where a client that reads numbers as doubles would read another id.
    var json: String { value <= BannerID.maximumJSONNumber ? "\(value)" : "\"\(value)\"" }
}
