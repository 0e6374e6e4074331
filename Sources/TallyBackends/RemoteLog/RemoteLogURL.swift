// SPDX-License-Identifier: Apache-2.0

import Foundation

/// `SCHEME://[USER[:PASSWORD]@]HOST[:PORT][,HOST[:PORT]…]/NAME[?KEY=VALUE&…]`, the address of a log on servers of its own.
/// Shown without user, password and parameters.
package struct RemoteLogURL: Equatable, Sendable {
    package let scheme: String
    /// Each `HOST:PORT`, at least one.
    package let servers: [String]
    package let user: String?
    package let password: String?
    /// Of the topic or the stream.
    package let name: String
    package let parameters: [String: String]

    /// - Parameters:
    ///   - port: where none is given.
    ///   - nameRule: what a name may be, and how to say so.
    package init(_ text: String, port: Int, nameRule: NameRule) throws(LogURLError) {
        guard let scheme = text.firstRange(of: "://") else { throw LogURLError("it has no ://") }
        self.scheme = String(text[..<scheme.lowerBound])
        let (address, query) = RemoteLogURL.cut(text[scheme.upperBound...], at: "?")
        // A password that was not encoded may hold an `@`: the last one counts.
        let at = address.lastIndex(of: "@")
        let login = at.map { RemoteLogURL.cut(address[..<$0], at: ":") }
        user = try login.map { (login) throws(LogURLError) in try RemoteLogURL.decoded(login.0) }
        password = try login?.1.map { (text) throws(LogURLError) in try RemoteLogURL.decoded(text) }
        let place = at.map { address[address.index(after: $0)...] } ?? address
        let (hosts, name) = RemoteLogURL.cut(place, at: "/")
        servers = try RemoteLogURL.servers(hosts, port: port)
        self.name = try nameRule.checked(name ?? "")
        parameters = try RemoteLogURL.parameters(query)
    }

    private static func cut(_ text: Substring, at mark: Character) -> (Substring, Substring?) {
        guard let index = text.firstIndex(of: mark) else { return (text, nil) }
        return (text[..<index], text[text.index(after: index)...])
    }

    private static func decoded(_ text: Substring) throws(LogURLError) -> String {
        guard let decoded = text.removingPercentEncoding, !decoded.contains("\0") else {
            throw LogURLError("it has a % that is no percent-encoding; a % itself is written %25")
        }
        return decoded
    }

    private static func servers(_ hosts: Substring, port: Int) throws(LogURLError) -> [String] {
        var servers: [String] = []
        for server in hosts.split(separator: ",", omittingEmptySubsequences: false) {
            // The colons of an IPv6 address stand in brackets.
            let afterAddress = server.lastIndex(of: "]").map { server[$0...] } ?? server
            let (_, portText) = cut(afterAddress, at: ":")
            let host = portText.map { server.dropLast($0.utf8.count + 1) } ?? server
            let number = portText.map { Int($0) ?? 0 } ?? port
            let isPlain = host.allSatisfy { $0.isLetter || $0.isNumber || ".-_:[]".contains($0) }
            guard !host.isEmpty, isPlain, (1...65_535).contains(number) else {
                throw LogURLError("it names no servers; allowed is HOST:PORT, and more of them after commas")
            }
            servers.append("\(host):\(number)")
        }
        return servers
    }

    private static func parameters(_ query: Substring?) throws(LogURLError) -> [String: String] {
        var parameters: [String: String] = [:]
        for parameter in (query ?? "").split(separator: "&") {
            let (key, value) = cut(parameter, at: "=")
            guard let value, !key.isEmpty else {
                throw LogURLError("it has a parameter without a value; allowed is ?KEY=VALUE&KEY=VALUE")
            }
            guard parameters.updateValue(try decoded(value), forKey: try decoded(key)) == nil else {
                throw LogURLError("it has a parameter twice")
            }
        }
        return parameters
    }

    /// What the name of a topic or stream may be.
    package struct NameRule: Sendable {
        /// Such as "topic".
        let what: String
        /// Besides letters, digits, `_` and `-`.
        let more: String
        let longest: Int

        package init(what: String, more: String, longest: Int) {
            self.what = what
            self.more = more
            self.longest = longest
        }

        func checked(_ name: Substring) throws(LogURLError) -> String {
            let isPlain = name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_-\(more)".contains($0)) }
            guard isPlain, (1...longest).contains(name.utf8.count), name != ".", name != ".." else {
                throw LogURLError(
                    "behind the servers stands /NAME, the \(what); allowed are 1 to \(longest) of _-\(more) a-z A-Z 0-9"
                )
            }
            return String(name)
        }
    }
}

extension RemoteLogURL {
    /// The value of a parameter that is a number.
    /// - Returns: nil when it is not given.
    func number(_ key: String, in range: ClosedRange<Int>) throws(LogURLError) -> Int? {
        guard let text = parameters[key] else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw LogURLError("\(key) is no number of \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }
}

extension RemoteLogURL: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "\(scheme)://\(servers.joined(separator: ","))/\(name)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: ["description": description]) }
}
