// SPDX-License-Identifier: Apache-2.0

import TallyCore

extension EventInput {
    private static let members = ["banner", "kind", "ts", "n", "id"]

    /// Reads `{"banner":42,"kind":"click","ts":…,"n":1,"id":"…"}`; only `banner` is required.
    init(json value: JSONValue) throws(BadRequest) {
        guard case .object(let object) = value else {
            throw BadRequest(
                detail: "an event is an object as in {\"banner\":42}, not \(value.described)", reason: "bad_event")
        }
        try object.allowOnly(EventInput.members)
        self.init(
            banner: try BannerID(json: object["banner"]), kind: try Kind(json: object["kind"]) ?? .click,
            time: try object["ts"].map { (value) throws(BadRequest) in try WrittenTime(json: value, name: "ts") }?
                .timestamp,
            count: try EventInput.count(object["n"]), id: try EventInput.id(object["id"]))
    }

    private static func count(_ value: JSONValue?) throws(BadRequest) -> Int64 {
        guard let value else { return 1 }
        guard case .integer(let count) = value, count >= 1, count <= Limits.eventCount else {
            throw BadRequest(
                detail: "n is \(value.described); allowed is an integer from 1 to \(Limits.eventCount)",
                reason: "count_out_of_range")
        }
        return count
    }

    private static func id(_ value: JSONValue?) throws(BadRequest) -> String? {
        guard let value else { return nil }
        guard case .string(let id) = value else {
            throw BadRequest(
                detail: "id is \(value.described); allowed is a text of 1 to \(Limits.eventIDBytes) bytes",
                reason: "bad_event_id")
        }
        return id
    }
}

extension Kind {
    /// nil when there is none.
    init?(json value: JSONValue?) throws(BadRequest) {
        guard let value else { return nil }
        guard case .string(let name) = value else {
            throw BadRequest(detail: "kind is \(value.described); \(Kind.allowed)", reason: "bad_kind")
        }
        try self.init(named: name)
    }
}

extension WrittenTime {
    init(json value: JSONValue, name: String) throws(BadRequest) {
        do {
            switch value {
            case .string(let text): try self.init(text)
            case .integer(let number): try self.init(unix: number)
            default: throw UnreadableTime.malformed
            }
        } catch {
            throw BadRequest(detail: "\(name) is \(value.described), which \(error)", reason: "bad_time")
        }
    }
}

extension JSONObject {
    /// - Throws: when there is a member of another name: a misspelt one must not go unnoticed.
    func allowOnly(_ names: [String]) throws(BadRequest) {
        guard let unknown = members.first(where: { !names.contains($0.name) }) else { return }
        throw BadRequest(
            detail: "unknown member \(quoted(unknown.name)); allowed are \(names.joined(separator: ", "))",
            reason: "unknown_member")
    }
}
