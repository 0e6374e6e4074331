// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// How often something happened to a banner, and what of it was no person's.
struct TrafficTotal: Equatable, Sendable {
    private(set) var gross: Total
    private(set) var invalid = InvalidSums()

    /// - Parameter totals: sorted by (banner, kind), so that those of invalid events stand behind their kind.
    static func all(_ totals: [Total]) -> [TrafficTotal] {
        var found: [TrafficTotal] = []
        for total in totals {
            if let reason = total.kind.reason {
                guard let last = found.last, last.gross.banner == total.banner, last.gross.kind == total.kind.base
                else {
                    continue
                }
                found[found.count - 1].invalid[reason] = total.count
            } else {
                found.append(TrafficTotal(gross: total))
            }
        }
        return found
    }

    var invalidCount: Int64 { InvalidReason.allCases.reduce(0) { $0.addingSaturated(invalid[$1]) } }

    func count(_ traffic: Traffic) -> Int64 {
        switch traffic {
        case .gross, .all: gross.count
        case .net: Traffic.net(gross.count, without: invalidCount)
        case .invalid: invalidCount
        }
    }

    /// With another's of the same kind.
    mutating func add(_ other: TrafficTotal) {
        gross.count = gross.count.addingSaturated(other.gross.count)
        let first = min(gross.minutes.lowerBound, other.gross.minutes.lowerBound)
        let last = max(gross.minutes.upperBound, other.gross.minutes.upperBound)
        gross.minutes = first...last
        invalid.add(other.invalid)
    }
}

extension CountingService {
    /// - Parameter body: gets the totals of some banners, sorted by (banner, kind of the user's), in the order of the banners.
    func forEachTraffic(
        in range: RowRange, _ traffic: Traffic, _ body: ([TrafficTotal]) -> Void
    ) async throws(StoreError) -> Freshness {
        var range = range
        range.kinds = traffic.stored(range.kinds)
        return try await forEachTotals(in: range) { body(TrafficTotal.all($0)) }
    }
}

extension InvalidSums {
    /// One object for each reason.
    func write(to json: inout JSONWriter) {
        for reason in InvalidReason.allCases {
            json.object { json in
                json.member("reason", reason.rawValue)
                json.member("v", self[reason])
            }
        }
    }
}
