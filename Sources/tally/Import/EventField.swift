// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// Why something is no event, as a sentence without a full stop.
struct EventProblem: Error, Equatable {
    let reason: String
}

/// Reads the fields of an event, each with an error that says what is allowed.
enum EventField {
    static func banner(_ text: some StringProtocol) throws(EventProblem) -> ImportedEvent.Subject {
        guard let banner = BannerID(digits: text) else {
            let shown = PlainText.of(text, upTo: 60)
            throw EventProblem(reason: "“\(shown)” is no banner: \(BannerID.allowed); --register takes names")
        }
        return .banner(banner)
    }

    static func name(_ text: some StringProtocol) throws(EventProblem) -> ImportedEvent.Subject {
        let length = text.utf8.count
        guard length >= 1 else { throw EventProblem(reason: "the name of the banner is empty") }
        guard length <= Limits.bannerNameBytes else {
            throw EventProblem(reason: "a name of \(length) bytes; allowed: up to \(Limits.bannerNameBytes)")
        }
        return .name(String(text))
    }

    /// The banner by its name where names are registered and there is one, else by its id.
    static func subject(
        banner: String?, name: String?, registers: Bool
    ) throws(EventProblem) -> ImportedEvent.Subject {
        let givenName = name.flatMap { $0.isEmpty ? nil : $0 }
        if registers, let givenName { return try EventField.name(givenName) }
        if let banner, !banner.isEmpty { return try EventField.banner(banner) }
        if givenName != nil { throw EventProblem(reason: "the banner has a name and no id; --register takes names") }
        throw EventProblem(reason: "the banner is missing")
    }

    static func kind(_ text: String) throws(EventProblem) -> Kind {
        guard let kind = Kind(text) else {
            throw EventProblem(reason: "“\(PlainText.of(text, upTo: 60))” is no kind: \(Kind.allowed)")
        }
        return kind
    }

    static func minute(_ text: String) throws(EventProblem) -> Minute {
        do throws(UnreadableTime) {
            return try WrittenTime(text).minute
        } catch { throw EventProblem(reason: "“\(PlainText.of(text, upTo: 60))” \(error)") }
    }

    static func minute(_ number: Int64) throws(EventProblem) -> Minute {
        do throws(UnreadableTime) {
            return try WrittenTime(unix: number).minute
        } catch { throw EventProblem(reason: "\(number) \(error)") }
    }

    static func count(_ text: String) throws(EventProblem) -> Int64 {
        guard let number = Int64(text) else { throw countProblem("“\(PlainText.of(text, upTo: 60))”") }
        return try count(number)
    }

    static func count(_ number: Int64) throws(EventProblem) -> Int64 {
        guard (1...Limits.eventCount).contains(number) else { throw countProblem("\(number)") }
        return number
    }

    static func id(_ text: String) throws(EventProblem) -> String {
        guard (1...Limits.eventIDBytes).contains(text.utf8.count) else {
            throw EventProblem(reason: "an id of \(text.utf8.count) bytes; allowed: 1…\(Limits.eventIDBytes)")
        }
        return text
    }

    private static func countProblem(_ shown: String) -> EventProblem {
        EventProblem(reason: "\(shown) is no count; allowed: 1…\(NumberText.grouped(Limits.eventCount))")
    }
}
