// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// Which events are asked for.
enum Traffic: String, CaseIterable, Sendable {
    /// All that were sent.
    case gross
    /// Those of persons.
    case net
    /// The others, by reason.
    case invalid
    /// All of these side by side.
    case all

    /// What one of several series side by side counts.
    enum Part: Hashable, Sendable {
        case gross
        case net
        case invalid(InvalidReason)

        static let reasons: [Part?] = InvalidReason.allCases.map { invalid($0) }

        /// As the parameter has it.
        var name: String {
            switch self {
            case .gross: Traffic.gross.rawValue
            case .net: Traffic.net.rawValue
            case .invalid: Traffic.invalid.rawValue
            }
        }

        var reason: InvalidReason? {
            if case .invalid(let reason) = self { reason } else { nil }
        }
    }

    /// What stands side by side in a series for each banner and kind; nil for what the question says.
    var parts: [Part?] {
        switch self {
        case .gross, .net: [nil]
        case .invalid: Part.reasons
        case .all: [.gross, .net] + Part.reasons
        }
    }

    /// Which kinds have to be read to answer for these.
    func stored(_ kinds: Set<Kind>?) -> Set<Kind>? {
        self == .gross ? kinds : kinds.map { Set($0.flatMap(\.withInvalid)) }
    }

    /// What is left when some are no person's. The two may have been read at different offsets while a flush was on its way.
    static func net(_ gross: Int64, without invalid: Int64) -> Int64 { max(0, gross - invalid) }
}
