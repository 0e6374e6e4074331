// SPDX-License-Identifier: Apache-2.0

import HTTPTypes

/// Whether a browser asks ahead of its user, who may never come: it gets its answer, and nothing is counted.
enum Prefetch {
    /// `Sec-Purpose: prefetch;prerender` is the standard's (Fetch); the others are what browsers sent before.
    static func isOne(_ headers: HTTPFields) -> Bool {
        [HTTPField.Name.secPurpose, .purpose, .xPurpose, .xMoz].contains { name in
            guard let value = headers[name]?.lowercased() else { return false }
            return ["prefetch", "prerender", "preview"].contains { value.contains($0) }
        }
    }
}

extension HTTPField.Name {
    // Constants that are valid names.
    fileprivate static let secPurpose = HTTPField.Name("Sec-Purpose")!
    fileprivate static let purpose = HTTPField.Name("Purpose")!
    fileprivate static let xPurpose = HTTPField.Name("X-Purpose")!
    fileprivate static let xMoz = HTTPField.Name("X-Moz")!
}
