// SPDX-License-Identifier: Apache-2.0

import Foundation
import TallyCore

/// What `/v1/series` is asked.
struct SeriesQuery: Sendable {
    /// Into so many steps a range is divided at most, and so many points are filled with zeros at most.
    static let mostPoints = 1_000_000
    /// At a step of a minute a range is at most a year and a day.
    static let mostMinutes: Int64 = 366 * 24 * 60

    private static let parameters = ["banner", "kind", "from", "to", "step", "tz", "fill", "format", "traffic"]

    /// nil for all.
    let banners: Set<BannerID>?
    /// nil for all.
    let kinds: Set<Kind>?
    /// Half open.
    let minutes: Range<Minute>
    let step: SeriesStep
    /// As it was asked; nil for UTC without a name.
    let zoneName: String?
    let zone: ZoneOffsets
    let fillsZeros: Bool
    let format: SeriesFormat
    let traffic: Traffic

    /// - Parameter now: without `to`, the range ends with the minute that is running; without `from`, it is an hour long.
    init(_ parameters: QueryParameters, now: Timestamp) throws(BadRequest) {
        try parameters.allowOnly(SeriesQuery.parameters)
        banners = try SeriesQuery.banners(parameters.all("banner"))
        kinds = try SeriesQuery.kinds(parameters.all("kind"))
        step = try SeriesQuery.choice("step", of: parameters) ?? .minute
        format = try SeriesQuery.choice("format", of: parameters) ?? .json
        fillsZeros = try SeriesQuery.fill(parameters)
        traffic = try parameters.traffic()
        let zone = try SeriesQuery.timeZone(parameters)
        zoneName = zone == nil ? nil : try parameters.single("tz")
        minutes = try SeriesQuery.minutes(parameters, now: now, zone: zone)
        self.zone = zone.map { [minutes] in ZoneOffsets($0, from: minutes.lowerBound, to: minutes.upperBound) } ?? .utc
        try SeriesQuery.checkLength(of: minutes, step: step)
    }

    /// What to ask the service; nil when the range is empty.
    var range: RowRange? {
        guard !minutes.isEmpty else { return nil }
        return RowRange(
            banners: banners, kinds: traffic.stored(kinds),
            minutes: minutes.lowerBound...minutes.upperBound.advanced(by: -1))
    }

    /// How many series are asked for by name; nil when it depends on what was counted.
    var seriesAskedFor: Int? {
        guard let banners, let kinds else { return nil }
        return banners.count * kinds.count * traffic.parts.count
    }

    // MARK: Parameters

    private static func banners(_ texts: [String]) throws(BadRequest) -> Set<BannerID>? {
        guard !texts.isEmpty else { return nil }
        return Set(try texts.map { (text) throws(BadRequest) in try BannerID(text: text) })
    }

    private static func kinds(_ texts: [String]) throws(BadRequest) -> Set<Kind>? {
        guard !texts.isEmpty else { return nil }
        guard texts.count <= Limits.kinds else {
            throw BadRequest(detail: "\(texts.count) kinds; allowed are up to \(Limits.kinds)")
        }
        return Set(try texts.map { (text) throws(BadRequest) in try Kind(named: text) })
    }

    private static func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ name: String, of parameters: QueryParameters
    ) throws(BadRequest) -> Choice? {
        guard let text = try parameters.single(name) else { return nil }
        guard let choice = Choice(rawValue: text) else {
            let allowed = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw BadRequest(detail: "\(name) is \(quoted(text)); allowed are \(allowed)")
        }
        return choice
    }

    private static func fill(_ parameters: QueryParameters) throws(BadRequest) -> Bool {
        switch try parameters.single("fill") {
        case nil: return false
        case "zero": return true
        case .some(let text): throw BadRequest(detail: "fill is \(quoted(text)); allowed is zero")
        }
    }

    private static func timeZone(_ parameters: QueryParameters) throws(BadRequest) -> TimeZone? {
        guard let name = try parameters.single("tz") else { return nil }
        guard let zone = TimeZoneName.zone(name) else {
            throw BadRequest(
                detail: "tz is \(quoted(name)); allowed are the names of the IANA database, as in Europe/Moscow",
                reason: "bad_time_zone")
        }
        return zone
    }

    // MARK: The range

    private static func minutes(
        _ parameters: QueryParameters, now: Timestamp, zone: TimeZone?
    ) throws(BadRequest) -> Range<Minute> {
        let to = try parameters.time("to").map { minute($0, in: zone) } ?? Minute(now).advanced(by: 1)
        let from = try parameters.time("from").map { minute($0, in: zone) } ?? to.advanced(by: -60)
        guard from <= to else {
            throw BadRequest(detail: "to (\(to.text())) lies before from (\(from.text()))", reason: "bad_range")
        }
        return from..<to
    }

    /// The minute of a time; one without a zone is local time in `tz`.
    private static func minute(_ time: WrittenTime, in zone: TimeZone?) -> Minute {
        guard let zone, time.zone == .unstated else { return time.minute }
        let around = ZoneOffsets(zone, from: time.minute, to: time.minute)
        let seconds = around.firstMoment(local: time.minute.unixSeconds)
        return Minute.first.advanced(by: seconds.flooredQuotient(dividingBy: 60))
    }

    private static func checkLength(of minutes: Range<Minute>, step: SeriesStep) throws(BadRequest) {
        let length = Int64(minutes.upperBound.sinceEpoch) - Int64(minutes.lowerBound.sinceEpoch)
        let described = "from \(minutes.lowerBound.text()) to \(minutes.upperBound.text())"
        if step == .minute, length > mostMinutes {
            throw BadRequest(
                detail:
                    "\(described) is more than 366 days, the most for step=1m; ask for less, or for step=5m, 1h or 1d",
                reason: "range_too_long")
        }
        if length * 60 / step.seconds > mostPoints {
            throw BadRequest(
                detail:
                    "\(described) has more than \(mostPoints) steps of \(step.rawValue); ask for less, or larger steps",
                reason: "range_too_long")
        }
    }
}
