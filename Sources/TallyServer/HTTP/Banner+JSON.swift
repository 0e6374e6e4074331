// SPDX-License-Identifier: Apache-2.0

import TallyCore

extension Banner {
    /// How many names one request registers.
    static let mostNames = 1_000

    /// Reads `{"name":"/x","target":"https://…","tags":["…"]}`; all of it is optional.
    init(id: BannerID, json value: JSONValue) throws(BadRequest) {
        guard case .object(let object) = value else {
            throw BadRequest(detail: "the body is \(value.described); send an object as in {\"name\":\"/x\"}")
        }
        try object.allowOnly(["name", "target", "tags"])
        let name = try object["name"].map { (value) throws(BadRequest) in try Banner.name(value) }
        let target = try object["target"].map { (value) throws(BadRequest) in try Banner.target(value) }
        self.init(id: id, name: name, target: target, tags: try Banner.tags(object["tags"]), isRegistered: true)
    }

    /// Reads `{"names":["/x",…]}`.
    static func names(json value: JSONValue) throws(BadRequest) -> [String] {
        guard case .object(let object) = value, case .array(let values)? = object["names"] else {
            throw BadRequest(detail: "the body is not an object with names; send {\"names\":[\"/x\"]}")
        }
        try object.allowOnly(["names"])
        guard values.count <= mostNames else {
            throw BadRequest(detail: "\(values.count) names; allowed are up to \(mostNames) in one request")
        }
        return try values.map { (value) throws(BadRequest) in try name(value) }
    }

    private static func name(_ value: JSONValue) throws(BadRequest) -> String {
        try text(value, what: "name", most: Limits.bannerNameBytes)
    }

    private static func tags(_ value: JSONValue?) throws(BadRequest) -> [String] {
        guard let value else { return [] }
        guard case .array(let values) = value, values.count <= Limits.bannerTags else {
            throw BadRequest(
                detail: "tags is \(value.described); allowed is an array of up to \(Limits.bannerTags) texts",
                reason: "bad_banner")
        }
        let tags = try values.map { (value) throws(BadRequest) in
            try text(value, what: "a tag", most: Limits.bannerTagBytes)
        }
        return Set(tags.map { ExactText($0) }).sorted().map(\.text)
    }

    private static func target(_ value: JSONValue) throws(BadRequest) -> String {
        let target = try text(value, what: "target", most: Limits.bannerTargetBytes)
        guard isAbsoluteURL(target) else {
            throw BadRequest(
                detail: "target is \(quoted(target)); allowed is an absolute URL that begins with http:// or https://, "
                    + "percent-encoded where it isn't plain ASCII",
                reason: "bad_banner")
        }
        return target
    }

    private static func text(_ value: JSONValue, what: String, most: Int) throws(BadRequest) -> String {
        guard case .string(let text) = value, (1...most).contains(text.utf8.count),
            !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else {
            throw BadRequest(
                detail:
                    "\(what) is \(value.described); allowed is a text of 1 to \(most) bytes without control characters",
                reason: "bad_banner")
        }
        return text
    }

    /// It goes into a header as it is, so it must be ASCII without spaces; and it must name a host.
    private static func isAbsoluteURL(_ text: String) -> Bool {
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && !"\"<>\\^`{|}".utf8.contains($0) }) else {
            return false
        }
        let lowercase = text.lowercased()
        guard let scheme = ["http://", "https://"].first(where: lowercase.hasPrefix) else { return false }
        let authority = lowercase.dropFirst(scheme.count).prefix { !"/?#".contains($0) }
        let host = authority.split(separator: "@", omittingEmptySubsequences: false).last ?? ""
        return !host.isEmpty && !host.hasPrefix(":")
    }

    /// - Parameter totals: left out when nil.
    func write(to json: inout JSONWriter, totals: [Total]?) {
        json.member("id", id)
        json.member("name", orNull: name)
        json.member("target", orNull: target)
        json.name("tags")
        json.array { json in for tag in tags { json.string(tag) } }
        json.member("registered", isRegistered)
        guard let totals else { return }
        json.name("totals")
        json.array { json in
            for total in totals { json.object { total.write(to: &$0) } }
        }
    }
}

extension Total {
    fileprivate func write(to json: inout JSONWriter) {
        json.member("kind", kind.name)
        json.member("v", count)
        json.member("first", minutes.lowerBound)
        json.member("last", minutes.upperBound)
    }
}
