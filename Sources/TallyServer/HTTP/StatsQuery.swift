// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// What `/stats` is asked: `{"from":…,"to":…}`, with the spellings that its clients use. Members it does not know are
/// theirs, and are left alone.
struct StatsQuery: Equatable {
    static let allowed = "send {\"from\":\"2024-12-12T10:00:00\",\"to\":\"2024-12-12T10:05:00\"}"
    /// A year and a day, since a year may be a leap year.
    static let mostMinutes = 366 * 24 * 60

    let minutes: ClosedRange<Minute>
    let kind: Kind
    /// How the answer writes times: as the request did.
    let zone: WrittenTime.Zone

    init(json value: JSONValue) throws(BadRequest) {
        guard case .object(let object) = value else {
            throw BadRequest(detail: "the body is \(value.described); \(StatsQuery.allowed)")
        }
        let from = try StatsQuery.time(["from", "tsFrom", "ts_from", "TsFrom"], in: object)
        let to = try StatsQuery.time(["to", "tsTo", "ts_to", "TsTo"], in: object)
        guard from.minute <= to.minute else {
            throw BadRequest(
                detail: "to (\(to.minute.text())) lies before from (\(from.minute.text()))", reason: "bad_range")
        }
        guard Int(to.minute.sinceEpoch - from.minute.sinceEpoch) < StatsQuery.mostMinutes else {
            throw BadRequest(
                detail: "from \(from.minute.text()) to \(to.minute.text()) is more than 366 days; "
                    + "ask for less, or ask /v1/series for larger steps",
                reason: "range_too_long")
        }
        minutes = from.minute...to.minute
        kind = try Kind(json: object["kind"]) ?? .click
        zone = from.zone == .unstated || from.zone == .unix ? to.zone : from.zone
    }

    func range(of banners: Set<BannerID>?) -> RowRange { RowRange(banners: banners, kinds: [kind], minutes: minutes) }

    private static func time(_ spellings: [String], in object: JSONObject) throws(BadRequest) -> WrittenTime {
        let written = spellings.compactMap { name in object[name].map { (name, $0) } }
        guard let (name, value) = written.first else {
            throw BadRequest(detail: "\(spellings[0]) is missing; \(allowed)", reason: "bad_time")
        }
        guard written.count == 1 else {
            throw BadRequest(detail: "\(name) and \(written[1].0) mean the same; send one of them", reason: "bad_time")
        }
        return try WrittenTime(json: value, name: name)
    }
}
