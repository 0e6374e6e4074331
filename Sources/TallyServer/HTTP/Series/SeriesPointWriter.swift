// SPDX-License-Identifier: Apache-2.0

import NIOCore
import TallyCore

/// How a series is written.
enum SeriesFormat: String, CaseIterable, Sendable {
    case json
    case csv
    case ndjson
}

/// Writes the points of one series straight into memory. All formats have the same parts in the same order: something
/// before the time, the time, something before the count, the count, something that says whether it is final.
struct SeriesPointWriter {
    private let beforeTime: String
    private let beforeCount: String
    private let final: [UInt8]
    private let other: [UInt8]
    /// Between two points.
    private let separator: String
    private var isFirst = true
    /// No point is longer.
    let mostBytes: Int

    /// All of a point up to its count, for the day and the zone of the last one: the next is nearly always of the same, and
    /// only its hour and minute are others. Behind it both ends, so that there is one array to look at for all of a point.
    private var text: [UInt8] = []
    private var timePlace = 0
    private var countPlace = 0
    /// The first minute of the day, on the clock of the zone.
    private var day = Int64.min
    private var zone = WrittenTime.Zone.utc

    init(banner: BannerID, kind: Kind, part: Traffic.Part? = nil, format: SeriesFormat) {
        let reason = part?.reason?.rawValue
        switch format {
        case .json:
            self.init("{\"ts\":\"", "\",\"v\":", final: ",\"final\":true}", other: ",\"final\":false}", separator: ",")
        case .ndjson:
            let traffic = part.map { ",\"traffic\":\"\($0.name)\"" } ?? ""
            let why = reason.map { ",\"reason\":\"\($0)\"" } ?? ""
            self.init(
                "{\"banner\":\(banner.json),\"kind\":\"\(kind)\"\(traffic)\(why),\"ts\":\"", "\",\"v\":",
                final: ",\"final\":true}\n", other: ",\"final\":false}\n", separator: "")
        case .csv:
            let traffic = part.map { "\($0.name),\(reason ?? "")," } ?? ""
            self.init("\(banner),\(kind),\(traffic)", ",", final: ",true\n", other: ",false\n", separator: "")
        }
    }

    private init(
        _ beforeTime: String, _ beforeCount: String, final: String, other: String, separator: String
    ) {
        self.beforeTime = beforeTime
        self.beforeCount = beforeCount
        self.final = Array(final.utf8)
        self.other = Array(other.utf8)
        self.separator = separator
        let texts = [separator, beforeTime, "9999-12-31T23:59:00+00:00", beforeCount, "\(Int64.max)", other]
        mostBytes = texts.reduce(0) { $0 + $1.utf8.count }
    }

    /// Writes a point where there is room for `mostBytes`.
    /// - Returns: where it ends.
    mutating func write(
        start: Minute, zone: WrittenTime.Zone, count: Int64, isFinal: Bool, to bytes: UnsafeMutableRawBufferPointer,
        at place: Int
    ) -> Int {
        let local = Int64(start.sinceEpoch) + zone.minutesEast
        if !(day..<day + 1_440).contains(local) || zone != self.zone { setBeginning(start, zone, local: local) }
        let time = local - day
        let digits = DecimalDigits(count)
        let skipped = isFirst ? separator.utf8.count : 0
        isFirst = false
        let ending = isFinal ? countPlace..<countPlace + final.count : countPlace + final.count..<text.count
        let origin = place - skipped
        let end = origin + countPlace + digits.count
        text.withUnsafeBytes { text in
            bytes.copy(text[skipped..<countPlace], to: place)
            bytes.copy(text[ending], to: end)
        }
        bytes.write(twoDigits: time / 60, at: origin + timePlace)
        bytes.write(twoDigits: time % 60, at: origin + timePlace + 3)
        digits.write(to: bytes, at: origin + countPlace)
        return end + ending.count
    }

    private mutating func setBeginning(_ minute: Minute, _ zone: WrittenTime.Zone, local: Int64) {
        day = local.flooredQuotient(dividingBy: 1_440) * 1_440
        self.zone = zone
        text = Array((separator + beforeTime).utf8)
        let time = minute.text(in: zone).utf8
        let date = time.prefix { $0 != UInt8(ascii: "T") }
        timePlace = text.count + date.count + 1
        text += time
        text += beforeCount.utf8
        countPlace = text.count
        text += final + other
    }
}

/// The digits of a number that is not negative, as every count.
private struct DecimalDigits {
    private let value: UInt64
    let count: Int

    init(_ value: Int64) {
        self.value = UInt64(value)
        var digits = 1
        var limit: UInt64 = 10
        while digits < 19, self.value >= limit {
            digits += 1
            limit &*= 10
        }
        count = digits
    }

    func write(to bytes: UnsafeMutableRawBufferPointer, at place: Int) {
        var rest = value
        for digit in stride(from: place + count - 1, through: place, by: -1) {
            bytes[digit] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
    }
}

extension UnsafeMutableRawBufferPointer {
    fileprivate func copy(_ bytes: Slice<UnsafeRawBufferPointer>, to place: Int) {
        UnsafeMutableRawBufferPointer(rebasing: self[place...]).copyMemory(
            from: UnsafeRawBufferPointer(rebasing: bytes))
    }

    fileprivate func write(twoDigits value: Int64, at place: Int) {
        self[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / 10)
        self[place + 1] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value % 10)
    }
}

extension WrittenTime.Zone {
    fileprivate var minutesEast: Int64 {
        if case .offset(let minutes) = self { return minutes }
        return 0
    }
}
