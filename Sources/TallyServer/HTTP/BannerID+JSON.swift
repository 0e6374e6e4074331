// SPDX-License-Identifier: Apache-2.0

import TallyCore

extension BannerID {
    /// Reads a number or a string of decimal digits.
    init(json value: JSONValue?) throws(BadRequest) {
        guard let value else {
            throw BadRequest(detail: "banner is missing; \(BannerID.allowed)", reason: "bad_banner_id")
        }
        let id: BannerID? =
            switch value {
            case .integer(let number): BannerID(number)
            case .string(let digits): BannerID(digits: digits)
            default: nil
            }
        guard let id else {
            throw BadRequest(
                detail: "banner is \(value.described); \(BannerID.allowed), as a number or as a string of digits",
                reason: "bad_banner_id")
        }
        self = id
    }
}
