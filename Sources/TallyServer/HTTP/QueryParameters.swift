// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import TallyCore

/// The parameters behind the `?`. An empty one counts as absent.
struct QueryParameters {
    private let given: [(name: String, value: String)]
    private let parameters: [(name: String, value: String)]

    init(_ request: Request) {
        given = request.uri.queryParameters.map { (String($0.key), String($0.value)) }
        parameters = given.filter { !$0.value.isEmpty }
    }

    /// - Throws: when it stands there more than once.
    func single(_ name: String) throws(BadRequest) -> String? {
        let values = all(name)
        guard values.count <= 1 else { throw BadRequest(detail: "the parameter \(name) stands there more than once") }
        return values.first
    }

    /// The id of an event, also an empty one, which is refused: whoever sends that believes that a retry counts once.
    func eventID() throws(BadRequest) -> String? {
        try single("id") ?? given.first { $0.name == "id" }?.value
    }

    func all(_ name: String) -> [String] { parameters.filter { $0.name == name }.map(\.value) }

    /// - Throws: when there is a parameter of another name: a misspelt one must not go unnoticed.
    func allowOnly(_ names: [String]) throws(BadRequest) {
        guard let unknown = parameters.first(where: { !names.contains($0.name) }) else { return }
        throw BadRequest(
            detail: "unknown parameter \(quoted(unknown.name)); allowed are \(names.joined(separator: ", "))")
    }

    func integer(_ name: String, in range: ClosedRange<Int>, default fallback: Int) throws(BadRequest) -> Int {
        guard let text = try single(name) else { return fallback }
        guard let value = Int(text), range.contains(value) else {
            throw BadRequest(
                detail:
                    "\(name) is \(quoted(text)); allowed is an integer from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    func flag(_ name: String) throws(BadRequest) -> Bool {
        switch try single(name) {
        case nil, "false": return false
        case "true": return true
        case .some(let text):
            throw BadRequest(detail: "\(name) is \(quoted(text)); allowed are true and false")
        }
    }

    func kind() throws(BadRequest) -> Kind? {
        guard let text = try single("kind") else { return nil }
        return try Kind(named: text)
    }

    func time(_ name: String) throws(BadRequest) -> WrittenTime? {
        guard let text = try single(name) else { return nil }
        do {
            return try WrittenTime(text)
        } catch {
            throw BadRequest(detail: "\(name) is \(quoted(text)), which \(error)", reason: "bad_time")
        }
    }
}

extension Kind {
    init(named text: String) throws(BadRequest) {
        guard let kind = Kind(text) else {
            throw BadRequest(detail: "kind is \(quoted(text)); \(Kind.allowed)", reason: "bad_kind")
        }
        self = kind
    }
}

extension BannerID {
    /// Reads the id of a path or a query, percent-encoded or not: `%37` is the same as `7` (RFC 3986, section 6.2.2.2).
    init(text: String) throws(BadRequest) {
        let decoded = text.utf8.count <= 64 ? text.removingPercentEncodingOfASCII : text
        guard let id = BannerID(digits: decoded) else {
            throw BadRequest(detail: "the banner id is \(quoted(text)); \(BannerID.allowed)", reason: "bad_banner_id")
        }
        self = id
    }
}

extension String {
    /// nil-free: what is no valid encoding of an ASCII character stays as it is.
    fileprivate var removingPercentEncodingOfASCII: String {
        guard utf8.contains(UInt8(ascii: "%")) else { return self }
        var rest = utf8[...]
        var decoded = ""
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2, let text = String(rest.prefix(2)),
                let value = UInt8(text, radix: 16), value < 0x80, !text.hasPrefix("+"), !text.hasPrefix("-")
            {
                decoded.unicodeScalars.append(Unicode.Scalar(value))
                rest = rest.dropFirst(2)
            } else {
                decoded.unicodeScalars.append(Unicode.Scalar(byte))
            }
        }
        return decoded
    }
}
