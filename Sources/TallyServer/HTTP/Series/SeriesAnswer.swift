// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// The counts of one banner and kind, step by step.
struct Series: Equatable, Sendable {
    struct Point: Equatable, Sendable {
        /// Where its step stands in `SeriesSteps.starts`.
        let step: Int
        let count: Int64
    }

    let banner: BannerID
    let kind: Kind
    /// What of these events it counts; nil where the question says it.
    var part: Traffic.Part?
    /// Ascending. Steps without a count are left out.
    var points: [Point]
}

/// The points of a series one after the other, perhaps with zeros where nothing was counted.
struct SeriesPoints: IteratorProtocol {
    private let points: [Series.Point]
    private var place = 0
    /// The step to answer next, and the number of all; nil when only what was counted is answered.
    private var fill: (step: Int, end: Int)?

    init(_ points: [Series.Point], filledUpTo end: Int?) {
        self.points = points
        fill = end.map { (0, $0) }
    }

    mutating func next() -> Series.Point? {
        guard let (step, end) = fill else {
            guard place < points.count else { return nil }
            defer { place += 1 }
            return points[place]
        }
        guard step < end else { return nil }
        fill = (step + 1, end)
        guard place < points.count, points[place].step == step else { return Series.Point(step: step, count: 0) }
        defer { place += 1 }
        return points[place]
    }
}

/// What `/v1/series` answers, before it is written in one of the formats.
struct SeriesAnswer: Sendable {
    let query: SeriesQuery
    let steps: SeriesSteps
    let freshness: Freshness
    /// By (banner, kind, part).
    let series: [Series]

    /// - Parameter counts: sorted by (banner, kind, minute), all in the range of the query.
    init(query: SeriesQuery, counts: [MinuteCount], freshness: Freshness) throws(BadRequest) {
        let steps = SeriesSteps(query.minutes, step: query.step, zone: query.zone)
        let found = query.traffic.series(of: SeriesAnswer.sums(of: counts, steps: steps))
        try SeriesAnswer.check(steps: steps.starts.count, series: query.seriesAskedFor ?? found.count, query: query)
        series = query.fillsZeros ? SeriesAnswer.withAskedFor(found, query: query) : found
        self.query = query
        self.steps = steps
        self.freshness = freshness
    }

    /// Whether every minute of the range is final.
    var isFinal: Bool { query.minutes.upperBound <= freshness.watermark }

    /// Every point of a series as it is answered.
    func points(of series: Series) -> SeriesPoints {
        SeriesPoints(series.points, filledUpTo: query.fillsZeros ? steps.starts.count : nil)
    }

    /// The same for the same points (FNV-1a of 64 bits). Backfill can change final minutes, so that the range alone says
    /// nothing. Weak, since the watermark of the answer may differ.
    var entityTag: String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        func add(_ value: UInt64) {
            for shift in stride(from: UInt64(0), to: 64, by: 8) {
                hash = (hash ^ (value >> shift & 0xFF)) &* 0x0000_0100_0000_01B3
            }
        }
        for series in series {
            add(UInt64(series.banner.value))
            for byte in series.kind.name.utf8 { add(UInt64(byte)) }
            for point in series.points {
                add(UInt64(steps.starts[point.step].sinceEpoch))
                add(UInt64(point.count))
            }
        }
        return "W/\"\(String(hash, radix: 16))\""
    }

    /// How many points are written, of all series together.
    var pointCount: Int {
        query.fillsZeros ? steps.starts.count * series.count : series.reduce(0) { $0 + $1.points.count }
    }

    /// Before any series is made, since a short request can ask for very many.
    private static func check(steps: Int, series: Int, query: SeriesQuery) throws(BadRequest) {
        let (points, overflow) = steps.multipliedReportingOverflow(by: series)
        guard query.fillsZeros, overflow || max(points, series) > SeriesQuery.mostPoints else { return }
        throw BadRequest(
            detail: "\(steps) steps of \(series) series are more than \(SeriesQuery.mostPoints) points; "
                + "ask for less, for larger steps, or without fill=zero",
            reason: "range_too_long")
    }

    private static func sums(of counts: [MinuteCount], steps: SeriesSteps) -> [Series] {
        var found: [Series] = []
        var place = 0
        while place < counts.count {
            let (banner, kind) = (counts[place].banner, counts[place].kind)
            let end = end(ofSeriesAt: place, in: counts)
            found.append(Series(banner: banner, kind: kind, points: points(of: counts, place..<end, steps)))
            place = end
        }
        return found
    }

    /// Behind the counts of the same banner and kind.
    private static func end(ofSeriesAt place: Int, in counts: [MinuteCount]) -> Int {
        let (banner, kind) = (counts[place].banner, counts[place].kind)
        var (low, high) = (place, counts.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if counts[middle].banner == banner, counts[middle].kind == kind { low = middle } else { high = middle }
        }
        return high
    }

    private static func points(of counts: [MinuteCount], _ places: Range<Int>, _ steps: SeriesSteps) -> [Series.Point] {
        var points: [Series.Point] = []
        points.reserveCapacity(min(places.count, steps.starts.count))
        // Where the last one was: the next is nearly always behind it.
        var step = 0
        for place in places {
            let count = counts[place].count
            step = steps.index(of: counts[place].minute, near: step)
            if let last = points.indices.last, points[last].step == step {
                points[last] = Series.Point(step: step, count: points[last].count.addingSaturated(count))
            } else {
                points.append(Series.Point(step: step, count: count))
            }
        }
        return points
    }

    /// With a series for each banner and kind that was asked for by name, counted or not.
    private static func withAskedFor(_ found: [Series], query: SeriesQuery) -> [Series] {
        guard let banners = query.banners, let kinds = query.kinds else { return found }
        var rest = found[...]
        let sortedKinds = kinds.sorted()
        return banners.sorted().flatMap { banner in
            sortedKinds.flatMap { kind in
                query.traffic.parts.map { part in
                    if let next = rest.first, next.banner == banner, next.kind == kind, next.part == part {
                        return rest.removeFirst()
                    }
                    return Series(banner: banner, kind: kind, part: part, points: [])
                }
            }
        }
    }
}
