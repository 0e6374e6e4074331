// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// A value of JSON. An integer that fits 64 bits is exact; any other number keeps its text, to be named in an error.
enum JSONValue: Equatable, Sendable {
    case null
    case boolean(Bool)
    case integer(Int64)
    /// Written with a fraction or an exponent, or beyond 64 bits.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    /// What it is, for the message of an error: `the text "1"`.
    var described: String {
        switch self {
        case .null: "null"
        case .boolean(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .number(let text): quotedNumber(text)
        case .string(let text): "the text \(quoted(text))"
        case .array: "an array"
        case .object: "an object"
        }
    }

    private func quotedNumber(_ text: String) -> String { String(quoted(text).dropFirst().dropLast()) }
}

/// The members of an object in their order, each name once by its bytes (RFC 8259, section 8.3), at most `JSONReader.mostMembers`.
struct JSONObject: Equatable, Sendable {
    var members: [(name: String, value: JSONValue)] = []

    /// nil for a member that is missing or null.
    subscript(name: String) -> JSONValue? {
        guard let value = self[exactly: name], value != .null else { return nil }
        return value
    }

    /// nil for a member that is missing.
    subscript(exactly name: String) -> JSONValue? {
        members.first { ExactText($0.name) == ExactText(name) }?.value
    }

    static func == (left: JSONObject, right: JSONObject) -> Bool {
        left.members.elementsEqual(right.members) { $0.name == $1.name && $0.value == $1.value }
    }
}

/// Why bytes are not JSON.
struct JSONError: Error, Equatable {
    /// From the start of what was read.
    let offset: Int
    let problem: String
}

extension JSONError: CustomStringConvertible {
    var description: String { "not JSON: \(problem) at byte \(offset)" }
}
