// SPDX-License-Identifier: Apache-2.0

import HTTPTypes

/// The header field in which trusted proxies say which address a request comes from, and how its value is read.
package struct ClientAddressField: Equatable, Sendable {
    private enum Form: Equatable, Sendable {
        /// Addresses with commas between; each proxy appends the one that it was asked from.
        case list
        /// RFC 7239.
        case forwarded
        /// One address: `X-Real-IP`, `CF-Connecting-IP`, `True-Client-IP` and the like.
        case single
    }

    // The name is a valid one.
    package static let forwardedFor = ClientAddressField(name: HTTPField.Name("X-Forwarded-For")!, form: .list)

    /// What is allowed, for the message of an error.
    package static let allowed =
        "the name of a field: X-Forwarded-For, Forwarded, or one of a single address, such as X-Real-IP or CF-Connecting-IP"

    /// Fields that decide about the connection, the message or the event; no proxy puts an address into them.
    private static let reserved: Set<String> = [
        "connection", "content-encoding", "content-length", "content-type", "expect", "host", "origin",
        "proxy-connection", "purpose",
        "sec-purpose", "te", "trailer", "transfer-encoding", "upgrade", "user-agent", "x-moz", "x-purpose",
    ]

    let name: HTTPField.Name
    /// In small letters, as the hot path compares it.
    let lowercaseName: [UInt8]
    private let form: Form

    private init(name: HTTPField.Name, form: Form) {
        self.name = name
        self.form = form
        lowercaseName = Array(name.canonicalName.utf8)
    }

    /// - Returns: nil for what is no name of a field, and for a field that has another meaning.
    package init?(_ text: String) {
        guard text.utf8.count <= 64, let name = HTTPField.Name(text),
            !ClientAddressField.reserved.contains(name.canonicalName)
        else { return nil }
        switch name.canonicalName {
        case "x-forwarded-for": self.init(name: name, form: .list)
        case "forwarded": self.init(name: name, form: .forwarded)
        default: self.init(name: name, form: .single)
        }
    }

    /// The addresses that the value names, the last proxy's at the end. One that is none ends the search of whoever goes through
    /// them from the end: an obfuscated identifier (RFC 7239, section 6.3) is the empty text.
    func addresses(in value: String) -> [String] {
        switch form {
        case .list: value.split(separator: ",").map(ClientAddressField.bare)
        case .forwarded: ForwardedValue.nodes(in: value).map { ClientAddressField.bare($0[...]) }
        case .single: value.isEmpty ? [] : [ClientAddressField.bare(value[...])]
        }
    }

    /// Without space, port and brackets.
    private static func bare(_ text: Substring) -> String {
        let text = text.trimmingSpace
        if text.hasPrefix("[") { return String(text.dropFirst().prefix { $0 != "]" }) }
        return text.count { $0 == ":" } == 1 ? String(text.prefix { $0 != ":" }) : String(text)
    }
}
