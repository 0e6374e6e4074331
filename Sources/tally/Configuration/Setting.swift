// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// One thing that can be configured, declared once: its flag, environment variable, key in the file, help and check all
/// follow from here.
struct Setting<Value: Sendable>: Sendable {
    /// The flag without its dashes, and the key in the file.
    let name: String
    /// What it decides, in a few words.
    let help: String
    /// What values are allowed, with their unit; follows "allowed: " in help and errors.
    let allowed: String
    /// Must be readable itself. `<data>` in it stands for the data directory.
    let defaultText: String
    let parse: @Sendable (String) throws(SettingRefusal) -> Value
}

/// Why a text is no value of a setting.
enum SettingRefusal: Error, Equatable {
    /// What the setting says is allowed explains it.
    case notAllowed
    /// Needs its own explanation, a sentence without a full stop.
    case because(String)
}

/// A setting whose values don't matter here.
protocol AnySetting: Sendable {
    var name: String { get }
    var help: String { get }
    var allowed: String { get }
    var defaultText: String { get }
    /// - Returns: why the text can't be read; nil when it can.
    func refusal(of text: String) -> SettingRefusal?
}

extension Setting: AnySetting {
    func refusal(of text: String) -> SettingRefusal? {
        do {
            _ = try parse(text)
            return nil
        } catch { return error }
    }
}

extension AnySetting {
    var environmentName: String { "TALLY_" + name.uppercased().replacing("-", with: "_") }

    var argumentHelp: ArgumentHelp {
        ArgumentHelp("\(help) (default: \(defaultText); allowed: \(allowed))", valueName: "value")
    }
}

extension Setting {
    /// A setting whose texts either are a value or are not allowed.
    init(
        _ name: String, help: String, allowed: String, default defaultText: String,
        read: @escaping @Sendable (String) -> Value?
    ) {
        self.init(name: name, help: help, allowed: allowed, defaultText: defaultText) { text throws(SettingRefusal) in
            guard let value = read(text) else { throw .notAllowed }
            return value
        }
    }
}

extension Setting where Value == Int {
    static func count(
        _ name: String, help: String, in range: ClosedRange<Int>, default defaultText: String
    ) -> Setting {
        Setting(name, help: help, allowed: "a number, \(range.lowerBound)…\(range.upperBound)", default: defaultText) {
            text in Int(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    /// In bytes.
    static func size(_ name: String, help: String, in range: ClosedRange<Int>, default defaultText: String) -> Setting {
        let bounds = "\(SizeText.text(range.lowerBound))…\(SizeText.text(range.upperBound))"
        return Setting(name, help: help, allowed: "a size with its unit, \(bounds)", default: defaultText) {
            text in SizeText.bytes(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }
}

extension Setting where Value == Duration {
    static func duration(
        _ name: String, help: String, in range: ClosedRange<Duration>, default defaultText: String
    ) -> Setting {
        let bounds = "\(DurationText.text(range.lowerBound))…\(DurationText.text(range.upperBound))"
        return Setting(name, help: help, allowed: "a duration with its unit, \(bounds)", default: defaultText) {
            text in DurationText.duration(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }
}

extension Setting where Value == Duration? {
    static func durationOrForever(_ name: String, help: String, in range: ClosedRange<Duration>) -> Setting {
        let bounds = "\(DurationText.text(range.lowerBound))…\(DurationText.text(range.upperBound))"
        return Setting(
            name: name, help: help, allowed: "forever, or a duration with its unit, \(bounds)", defaultText: "forever"
        ) { text throws(SettingRefusal) in
            if text == "forever" { return nil }
            guard let duration = DurationText.duration(text), range.contains(duration) else { throw .notAllowed }
            return duration
        }
    }
}

extension Setting {
    /// One of a few words.
    static func word(
        _ name: String, help: String, default defaultText: String
    ) -> Setting where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
        Setting(name, help: help, allowed: Value.allCases.map(\.rawValue).joined(separator: "|"), default: defaultText)
        {
            Value(rawValue: $0)
        }
    }
}
