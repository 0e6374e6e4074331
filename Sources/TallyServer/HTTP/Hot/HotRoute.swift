// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// A route whose plain requests are counted before the HTTP codec.
enum HotRoute: UInt8, CaseIterable, Sendable {
    case getCounter
    case postCounter
    case pixel
    case beacon

    var method: StaticString {
        switch self {
        case .getCounter, .pixel: "GET"
        case .postCounter, .beacon: "POST"
        }
    }

    /// What stands before the id of the banner.
    var prefix: StaticString {
        switch self {
        case .getCounter, .postCounter: "/counter/"
        case .pixel: "/v1/pixel/"
        case .beacon: "/v1/beacon/"
        }
    }

    /// As `Route` has it.
    var path: String { "\(prefix){id}" }

    /// What it counts, an index into `kinds`.
    /// - Parameter invalid: nil for the kind itself, else for that of its invalid events.
    func kind(_ invalid: InvalidReason? = nil) -> UInt8 {
        let kind: UInt8 = self == .pixel ? 3 : 0
        return switch invalid {
        case nil: kind
        case .bot: kind + 1
        case .burst: kind + 2
        }
    }

    /// Sorted, as a lane has them.
    static let kinds = Kind.click.withInvalid + Kind.impression.withInvalid
}
