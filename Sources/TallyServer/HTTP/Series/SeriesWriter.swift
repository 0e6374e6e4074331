// SPDX-License-Identifier: Apache-2.0

import NIOCore
import TallyCore

/// Writes the answer of `/v1/series` piece by piece, since a million points are not wanted in memory a second time.
struct SeriesWriter {
    private let answer: SeriesAnswer
    private var json = JSONWriter()
    private var hasBegun = false
    /// All was written.
    private(set) var hasEnded = false
    /// How many of the series have begun.
    private var begun = 0
    /// The last of them, when it has more points.
    private var current: Current?

    private struct Current {
        var writer: SeriesPointWriter
        var points: SeriesPoints
    }

    private static let usualPointBytes = 64

    init(_ answer: SeriesAnswer) { self.answer = answer }

    static func contentType(_ format: SeriesFormat) -> String {
        switch format {
        case .json: "application/json"
        case .csv: "text/csv; charset=utf-8"
        case .ndjson: "application/x-ndjson"
        }
    }

    /// - Parameter mostBytes: with more than this a piece is handed on.
    /// - Returns: nil when nothing is left.
    mutating func next(mostBytes: Int) -> ByteBuffer? {
        if hasEnded { return nil }
        var buffer = ByteBuffer()
        buffer.reserveCapacity(min(mostBytes, answer.pointCount * SeriesWriter.usualPointBytes) + 1_024)
        if !hasBegun { writeBeginning() }
        hasBegun = true
        while buffer.readableBytes < mostBytes {
            guard var current = current ?? beginSeries() else {
                writeEnd()
                buffer.writeBytes(json.takeBytes())
                hasEnded = true
                return buffer
            }
            buffer.writeBytes(json.takeBytes())
            if writePoints(of: &current, to: &buffer, mostBytes: mostBytes) {
                self.current = nil
                writeEndOfSeries()
            } else {
                self.current = current
            }
        }
        return buffer
    }

    /// - Returns: whether that was all of them.
    private func writePoints(of current: inout Current, to buffer: inout ByteBuffer, mostBytes: Int) -> Bool {
        var isLast = false
        while !isLast, buffer.readableBytes < mostBytes {
            let limit = mostBytes - buffer.readableBytes
            buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: current.writer.mostBytes) { bytes in
                let end: Int
                (end, isLast) = writePoints(of: &current, to: bytes, limit: limit)
                return end
            }
        }
        return isLast
    }

    /// As many as there is surely room for, and none behind the limit.
    /// - Returns: where they end, and whether that was all of them.
    private func writePoints(
        of current: inout Current, to bytes: UnsafeMutableRawBufferPointer, limit: Int
    ) -> (end: Int, isLast: Bool) {
        let (starts, last, watermark) = (answer.steps.starts, answer.steps.end, answer.freshness.watermark)
        let hasZone = answer.query.zoneName != nil
        let room = min(limit - 1, bytes.count - current.writer.mostBytes)
        var end = 0
        while end <= room {
            guard let point = current.points.next() else { return (end, true) }
            let start = starts[point.step]
            let next = point.step + 1 < starts.count ? starts[point.step + 1] : last
            end = current.writer.write(
                start: start, zone: hasZone ? zone(at: start) : .utc, count: point.count,
                isFinal: next.sinceEpoch <= watermark.sinceEpoch, to: bytes, at: end)
        }
        return (end, false)
    }

    // MARK: The parts, in each format

    private mutating func writeBeginning() {
        switch answer.query.format {
        case .ndjson: break
        case .csv:
            json.raw(
                answer.query.traffic.parts != [nil]
                    ? "banner,kind,traffic,reason,ts,v,final\n" : "banner,kind,ts,v,final\n")
        case .json:
            let query = answer.query
            json.begin("{")
            json.member("from", query.minutes.lowerBound, in: zone(at: query.minutes.lowerBound))
            json.member("to", query.minutes.upperBound, in: zone(at: query.minutes.upperBound))
            json.member("step", query.step.rawValue)
            if let name = query.zoneName { json.member("tz", name) }
            json.write(answer.freshness)
            json.name("series")
            json.begin("[")
        }
    }

    /// - Returns: nil when there is no other.
    private mutating func beginSeries() -> Current? {
        guard begun < answer.series.count else { return nil }
        let series = answer.series[begun]
        begun += 1
        if answer.query.format == .json { writeBeginning(of: series) }
        return Current(
            writer: SeriesPointWriter(
                banner: series.banner, kind: series.kind, part: series.part, format: answer.query.format),
            points: answer.points(of: series))
    }

    private mutating func writeBeginning(of series: Series) {
        json.begin("{")
        json.member("banner", series.banner)
        json.member("kind", series.kind.name)
        if let part = series.part {
            json.member("traffic", part.name)
            if let reason = part.reason { json.member("reason", reason.rawValue) }
        }
        json.name("points")
        json.begin("[")
    }

    private mutating func writeEndOfSeries() {
        guard answer.query.format == .json else { return }
        json.end("]")
        json.end("}")
    }

    private mutating func writeEnd() {
        guard answer.query.format == .json else { return }
        json.end("]")
        json.end("}")
    }

    /// How times are written: in UTC, or with the offset that `tz` has then.
    private func zone(at minute: Minute) -> WrittenTime.Zone {
        guard answer.query.zoneName != nil else { return .utc }
        return .offset(minutes: answer.query.zone.offset(at: minute.unixSeconds).flooredQuotient(dividingBy: 60))
    }
}
