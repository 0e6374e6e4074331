// SPDX-License-Identifier: Apache-2.0

import TallyCore

extension Traffic {
    /// The series that are answered, out of those that are stored.
    /// - Parameter stored: sorted by (banner, kind), so that those of invalid events stand behind their kind.
    func series(of stored: [Series]) -> [Series] {
        var answered: [Series] = []
        var rest = stored[...]
        while let first = rest.first {
            let group = rest.prefix { $0.banner == first.banner && $0.kind.base == first.kind.base }
            answered += answers(to: group, banner: first.banner, kind: first.kind.base)
            rest = rest[group.endIndex...]
        }
        return answered
    }

    private func answers(to group: ArraySlice<Series>, banner: BannerID, kind: Kind) -> [Series] {
        let gross = group.first { $0.kind.reason == nil }?.points ?? []
        let invalid = group.filter { $0.kind.reason != nil }
        func net() -> [Series.Point] { Traffic.without(Traffic.sum(invalid.map(\.points)), gross) }
        func series(_ points: [Series.Point], _ part: Part? = nil) -> [Series] {
            points.isEmpty ? [] : [Series(banner: banner, kind: kind, part: part, points: points)]
        }
        return switch self {
        case .gross: series(gross)
        case .net: series(net())
        case .invalid: invalid.flatMap { one in series(one.points, one.kind.reason.map { .invalid($0) }) }
        case .all:
            series(gross, .gross) + series(net(), .net)
                + invalid.flatMap { one in series(one.points, one.kind.reason.map { .invalid($0) }) }
        }
    }

    private static func sum(_ series: [[Series.Point]]) -> [Series.Point] {
        if series.count <= 1 { return series.first ?? [] }
        var sums: [Int: Int64] = [:]
        for point in series.joined() { sums[point.step] = (sums[point.step] ?? 0).addingSaturated(point.count) }
        return sums.sorted { $0.key < $1.key }.map { Series.Point(step: $0.key, count: $0.value) }
    }

    /// Points of which nothing is left are left out.
    private static func without(_ invalid: [Series.Point], _ gross: [Series.Point]) -> [Series.Point] {
        var rest = invalid[...]
        return gross.compactMap { point in
            while let first = rest.first, first.step < point.step { rest.removeFirst() }
            let invalid = rest.first.map { $0.step == point.step ? $0.count : 0 } ?? 0
            let net = Traffic.net(point.count, without: invalid)
            return net == 0 ? nil : Series.Point(step: point.step, count: net)
        }
    }
}
