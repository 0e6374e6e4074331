// SPDX-License-Identifier: Apache-2.0

import NIOCore
import TallyCore

/// How a series is written.
enum SeriesFormat: String, CaseIterable, Sendable {
    case json
    case csv
    case ndjson
}

/// Writes the points of one series straight into a buffer. All formats have the same parts in the same order: something
/// before the time, the time, something before the count, the count, something that says whether it is final.
struct SeriesPointWriter {
    private let beforeTime: String
    private let beforeCount: String
    private let afterFinal: [UInt8]
    private let afterOther: [UInt8]
    /// Between two points.
    private let separator: String
    private var isFirst = true

    /// All of a point up to its count, for the day and the zone of the last one: the next is nearly always of the same, and
    /// only its hour and minute are others. They stand `timePlace` behind the start.
    private var beginning: [UInt8] = []
    private var timePlace = 0
    private var day: Int64?
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
                "{\"banner\":\(banner),\"kind\":\"\(kind)\"\(traffic)\(why),\"ts\":\"", "\",\"v\":",
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
        afterFinal = Array(final.utf8)
        afterOther = Array(other.utf8)
        self.separator = separator
    }

    mutating func write(
        start: Minute, zone: WrittenTime.Zone, count: Int64, isFinal: Bool, to buffer: inout ByteBuffer
    ) {
        let local = Int64(start.sinceEpoch) + zone.minutesEast
        let day = local.flooredQuotient(dividingBy: 1_440)
        if day != self.day || zone != self.zone { setBeginning(start, zone, day: day) }
        let time = local - day * 1_440
        let end = isFinal ? afterFinal : afterOther
        let digits = DecimalDigits(count)
        let skipped = isFirst ? separator.utf8.count : 0
        isFirst = false
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: beginning.count + digits.count + end.count) { bytes in
            beginning.withUnsafeBytes { bytes.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[skipped...])) }
            let place = timePlace - skipped
            bytes.write(twoDigits: time / 60, at: place)
            bytes.write(twoDigits: time % 60, at: place + 3)
            let countPlace = beginning.count - skipped
            digits.write(to: bytes, at: countPlace)
            end.withUnsafeBytes { end in
                UnsafeMutableRawBufferPointer(rebasing: bytes[(countPlace + digits.count)...]).copyMemory(from: end)
            }
            return countPlace + digits.count + end.count
        }
    }

    private mutating func setBeginning(_ minute: Minute, _ zone: WrittenTime.Zone, day: Int64) {
        self.day = day
        self.zone = zone
        beginning = Array((separator + beforeTime).utf8)
        let time = minute.text(in: zone).utf8
        let date = time.prefix { $0 != UInt8(ascii: "T") }
        timePlace = beginning.count + date.count + 1
        beginning += time
        beginning += beforeCount.utf8
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
