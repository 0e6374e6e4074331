// SPDX-License-Identifier: Apache-2.0

/// The settings that decide what a log's sums are. Servers that count the same log with other settings get other sums of the same chunks.
package struct CountingSettings: Equatable, Sendable {
    /// How long an event id is known, in milliseconds of log time; at least 0.
    package var windowMilliseconds: Int64
    /// How many event ids are known at most; at least 0.
    package var windowLimit: Int
    /// How many minutes behind the log's time an event may lie; at least 0.
    package var lateMinutes: Int64

    package init(windowMilliseconds: Int64, windowLimit: Int, lateMinutes: Int64) {
        precondition(windowMilliseconds >= 0 && windowLimit >= 0 && lateMinutes >= 0, "settings are never negative")
        self.windowMilliseconds = windowMilliseconds
        self.windowLimit = windowLimit
        self.lateMinutes = lateMinutes
    }
}

extension CountingSettings {
    /// - Parameter stored: the settings of the log's checkpoint; nil when it has none, so that these are adopted.
    /// - Returns: why the log must not be counted with these settings; nil when it may be.
    package func refusal(of log: LogID, countedWith stored: CountingSettings?) -> StartError? {
        guard let stored, stored != self else { return nil }
        return .otherSettings(log: log, stored: stored, configured: self)
    }

    /// Each setting as the flag that sets it, and its value as the flag takes it.
    package var flags: [(name: String, value: String)] {
        [
            ("--dedup-window", Self.duration(milliseconds: windowMilliseconds)), ("--dedup-limit", "\(windowLimit)"),
            ("--accept-late", Self.duration(milliseconds: lateMinutes * 60_000)),
        ]
    }

    /// The settings that differ, with both values.
    func differences(from configured: CountingSettings) -> String {
        zip(flags, configured.flags).filter { $0.value != $1.value }
            .map { "\($0.name) was \($0.value) and is now \($1.value)" }.joined(separator: ", ")
    }

    /// The flags that differ, as a command takes them.
    func flags(otherThan stored: CountingSettings) -> String {
        zip(flags, stored.flags).filter { $0.value != $1.value }.map { "\($0.0.name) \($0.0.value)" }
            .joined(separator: " ")
    }

    /// With the largest unit that needs no fraction.
    private static func duration(milliseconds: Int64) -> String {
        if milliseconds == 0 { return "0" }
        let units: [(name: String, milliseconds: Int64)] = [
            ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000),
        ]
        guard let unit = units.first(where: { milliseconds % $0.milliseconds == 0 }) else { return "\(milliseconds)ms" }
        return "\(milliseconds / unit.milliseconds)\(unit.name)"
    }
}
