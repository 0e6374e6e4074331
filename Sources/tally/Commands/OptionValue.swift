// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import TallyCore

/// Reads the values of flags that are no settings, with errors that say what is allowed.
enum OptionValue {
    static func kind(_ text: String) throws(CommandFailure) -> Kind {
        guard let kind = Kind(text) else { throw wrong("kind", text, Kind.allowed) }
        return kind
    }

    static func time(_ name: String, _ text: String) throws(CommandFailure) -> Timestamp {
        do throws(UnreadableTime) {
            return try WrittenTime(text).timestamp
        } catch {
            throw .usage(["--\(name): “\(PlainText.of(text, upTo: 100))” \(error)"])
        }
    }

    /// A duration of at least a minute.
    static func duration(_ name: String, _ text: String) throws(CommandFailure) -> Duration {
        guard let duration = DurationText.duration(text), duration >= .seconds(60), duration <= .seconds(3_650 * 86_400)
        else { throw wrong(name, text, "1m…3650d; \(DurationText.allowed)") }
        return duration
    }

    static func word<Word: RawRepresentable & CaseIterable>(
        _ name: String, _ text: String, as type: Word.Type
    ) throws(CommandFailure) -> Word where Word.RawValue == String {
        guard let word = Word(rawValue: text) else {
            throw wrong(name, text, "allowed: " + Word.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return word
    }

    /// A password in the text is not repeated.
    static func store(_ name: String, _ text: String) throws(CommandFailure) -> StoreURL {
        do throws(SettingRefusal) {
            return try StoreURL(text: text)
        } catch {
            switch error {
            case .notAllowed: throw wrong(name, Secrets.hidden(in: text), "allowed: \(StoreURL.allowed)")
            case .because(let reason):
                throw .usage(["--\(name): “\(PlainText.of(Secrets.hidden(in: text), upTo: 100))”: \(reason)"])
            }
        }
    }

    static func wrong(_ name: String, _ text: String, _ allowed: String) -> CommandFailure {
        .usage(["--\(name): “\(PlainText.of(text, upTo: 100))” is not allowed; \(allowed)"])
    }
}
