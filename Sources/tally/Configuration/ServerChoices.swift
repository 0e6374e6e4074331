// SPDX-License-Identifier: Apache-2.0

import NIOCore
import TallyServer

/// Whose events are counted.
enum BannerAdmission: String, CaseIterable, Sendable {
    case any
    case registered
}

/// Whether something is done.
enum Switch: String, CaseIterable, Sendable {
    case on
    case off
}

/// How many event loops there are.
enum LoopCount: Equatable, Sendable {
    /// One for each core.
    case auto
    case fixed(Int)

    init?(_ text: String) {
        if text == "auto" {
            self = .auto
        } else {
            guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let count = Int(text),
                (1...1_024).contains(count)
            else { return nil }
            self = .fixed(count)
        }
    }

    var count: Int {
        switch self {
        case .auto: System.coreCount
        case .fixed(let count): count
        }
    }
}

/// How messages are logged to standard error.
enum LogFormat: String, CaseIterable, Sendable {
    case text
    case json
}

extension ServerRole {
    static func set(from text: String) throws(SettingRefusal) -> Set<ServerRole> {
        var roles: Set<ServerRole> = []
        for word in text.split(separator: ",", omittingEmptySubsequences: false) {
            let word = word.trimmingPrefix(while: \.isWhitespace)
            guard let role = ServerRole(rawValue: String(word)) else {
                throw .because("“\(word)” is no role; allowed: ingest,aggregate,query")
            }
            roles.insert(role)
        }
        return roles
    }
}
