// SPDX-License-Identifier: Apache-2.0

/// Where the server is: `http://HOST:PORT` or `https://HOST`, with a path where a proxy gives it one.
struct ServerURL: Equatable, Sendable {
    /// Without a slash at its end.
    let text: String

    init?(_ text: String) {
        let schemes = ["http://", "https://"]
        guard let scheme = schemes.first(where: { text.lowercased().hasPrefix($0) }) else { return nil }
        let authority = text.dropFirst(scheme.count).prefix { $0 != "/" }
        guard ServerURL.isHost(authority), !authority.contains("@") else { return nil }
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), !text.contains("?"), !text.contains("#") else {
            return nil
        }
        let slashes = text.reversed().prefix { $0 == "/" }.count
        self.text = String(text.dropLast(slashes))
    }

    /// Whether it is a host, with a port from 1 to 65535 if it has one.
    private static func isHost(_ authority: Substring) -> Bool {
        let isBracketed = authority.hasPrefix("[") && authority.hasSuffix("]")
        if isBracketed || !authority.contains(":") { return !authority.isEmpty }
        return ListenAddress(String(authority)).map { $0.port > 0 } ?? false
    }

    /// - Parameter path: begins with a slash.
    func url(path: String, query: [(name: String, value: String)]) -> String {
        let pairs = query.map { "\(ServerURL.escaped($0.name))=\(ServerURL.escaped($0.value))" }
        return text + path + (pairs.isEmpty ? "" : "?" + pairs.joined(separator: "&"))
    }

    /// All but the unreserved characters of RFC 3986 as `%XX`.
    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                escaped.unicodeScalars.append(Unicode.Scalar(byte))
            default: escaped += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
            }
        }
        return escaped
    }
}

extension ServerURL: CustomStringConvertible {
    var description: String { text }
}
