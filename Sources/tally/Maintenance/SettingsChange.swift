// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// New values for some of the settings that the sums of a log depend on; nil for those that stay.
struct SettingsChange: Equatable, Sendable {
    var windowMilliseconds: Int64?
    var windowLimit: Int?
    var lateMinutes: Int64?

    /// - Parameters: as the flags of a server take them.
    init(dedupWindow: String?, dedupLimit: String?, acceptLate: String?) throws(CommandFailure) {
        windowMilliseconds = try Self.value(dedupWindow, of: ServerSettings.deduplicationWindow).map {
            Int64($0 / .milliseconds(1))
        }
        windowLimit = try Self.value(dedupLimit, of: ServerSettings.deduplicationLimit)
        lateMinutes = try Self.value(acceptLate, of: ServerSettings.acceptLate).map { $0.components.seconds / 60 }
    }

    var isEmpty: Bool { windowMilliseconds == nil && windowLimit == nil && lateMinutes == nil }

    func applied(to settings: CountingSettings) -> CountingSettings {
        CountingSettings(
            windowMilliseconds: windowMilliseconds ?? settings.windowMilliseconds,
            windowLimit: windowLimit ?? settings.windowLimit, lateMinutes: lateMinutes ?? settings.lateMinutes)
    }

    private static func value<Value>(_ text: String?, of setting: Setting<Value>) throws(CommandFailure) -> Value? {
        guard let text else { return nil }
        do throws(SettingRefusal) {
            return try setting.parse(text)
        } catch {
            throw OptionValue.wrong(setting.name, text, "allowed: \(setting.allowed)")
        }
    }
}
