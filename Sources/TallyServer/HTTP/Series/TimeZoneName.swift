// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The names that `tz` may have: those of the IANA time zone database, zones and links, spelled as it spells them.
///
/// Foundation has the data of all of them, but accepts more: abbreviations, which are ambiguous (`IST`), and offsets (`GMT+3`). Both
/// have no slash. So do these names of the database, and no others: new ones are always of the form `Area/Location` (its file
/// `theory.html`).
enum TimeZoneName {
    /// All names without a slash in the database, version 2025b.
    static let single: Set<String> = [
        "CET", "CST6CDT", "Cuba", "EET", "EST", "EST5EDT", "Egypt", "Eire", "Factory", "GB", "GB-Eire", "GMT", "GMT+0",
        "GMT-0",
        "GMT0", "Greenwich", "HST", "Hongkong", "Iceland", "Iran", "Israel", "Jamaica", "Japan", "Kwajalein", "Libya",
        "MET",
        "MST", "MST7MDT", "NZ", "NZ-CHAT", "Navajo", "PRC", "PST8PDT", "Poland", "Portugal", "ROC", "ROK", "Singapore",
        "Turkey", "UCT", "UTC", "Universal", "W-SU", "WET", "Zulu",
    ]
    /// No name of the database is longer than 32.
    private static let maximumBytes = 64

    /// The zone of this name. Its own `identifier` may be another: Foundation calls UTC GMT.
    /// - Returns: nil for anything but a name of the database.
    static func zone(_ name: String) -> TimeZone? {
        guard name.utf8.count <= maximumBytes, name.utf8.allSatisfy(isAllowed),
            name.utf8.contains(UInt8(ascii: "/")) || single.contains(name)
        else { return nil }
        return TimeZone(identifier: name)
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: "+-_/".utf8.contains(byte)
        }
    }
}
