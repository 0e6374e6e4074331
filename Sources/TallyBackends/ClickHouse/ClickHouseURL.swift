// SPDX-License-Identifier: Apache-2.0

import Foundation

/// `clickhouse://user:password@host:port/database?cluster=NAME`, over HTTP; `clickhouses://` with TLS, there also
/// `?ca=FILE`. Shown without user, password and parameters.
package struct ClickHouseURL: Equatable, Sendable {
    package let isSecure: Bool
    package let host: String
    package let port: Int
    package let user: String
    package let password: String
    package let database: String
    /// The cluster whose machines share the tables; nil for one server alone.
    package let cluster: String?
    /// The file with the roots, in PEM, that the server's certificate may have; nil for those that the system trusts.
    package let certificateAuthority: String?

    package init(_ text: String) throws(StoreURLError) {
        guard let parts = URLComponents(string: text), let host = parts.host, !host.isEmpty, parts.fragment == nil
        else {
            throw StoreURLError(
                "it is no URL; allowed is clickhouse://USER:PASSWORD@HOST:PORT/DATABASE, what is not plain percent-encoded"
            )
        }
        isSecure = parts.scheme == "clickhouses"
        self.host = host
        port = parts.port ?? (isSecure ? 8_443 : 8_123)
        user = parts.user ?? "default"
        password = parts.password ?? ""
        let path = parts.path.drop { $0 == "/" }
        database = path.isEmpty ? "default" : String(path)
        guard (1...65_535).contains(port) else { throw StoreURLError("its port is \(port); allowed are 1 to 65535") }
        try ClickHouseURL.check(database, "database")
        let parameters = try ClickHouseURL.parameters(parts.queryItems ?? [], isSecure: isSecure)
        cluster = parameters["cluster"]
        certificateAuthority = parameters["ca"]
        if let cluster { try ClickHouseURL.check(cluster, "cluster") }
        guard certificateAuthority?.isEmpty != true else { throw StoreURLError("its ca names no file") }
    }

    private static func parameters(
        _ items: [URLQueryItem], isSecure: Bool
    ) throws(StoreURLError) -> [String: String] {
        var parameters: [String: String] = [:]
        let allowed = isSecure ? ["cluster", "ca"] : ["cluster"]
        for item in items {
            guard allowed.contains(item.name), parameters.updateValue(item.value ?? "", forKey: item.name) == nil
            else {
                throw StoreURLError(
                    "it has a parameter that is unknown, or twice there; allowed are ?cluster=NAME, and &ca=FILE "
                        + "(certificates to trust) behind clickhouses://")
            }
        }
        return parameters
    }

    /// Names that need no quotes in SQL.
    private static func check(_ name: String, _ what: String) throws(StoreURLError) {
        let isPlain = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): true
            case UInt8(ascii: "0")...UInt8(ascii: "9"): true
            default: false
            }
        }
        guard isPlain, (1...64).contains(name.utf8.count), name.utf8.first.map({ $0 > UInt8(ascii: "9") }) == true
        else {
            throw StoreURLError(
                "its \(what) has no plain name; allowed are up to 64 of a-z, A-Z, 0-9 and _, not beginning with a digit"
            )
        }
    }
}

extension ClickHouseURL: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// `clickhouse://host:port/database`
    package var description: String {
        let shown = host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
        return "\(isSecure ? "clickhouses" : "clickhouse")://\(shown):\(port)/\(database)"
    }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: ["description": description]) }
}
