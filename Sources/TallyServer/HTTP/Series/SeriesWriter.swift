// SPDX-License-Identifier: Apache-2.0

import HummingbirdCore
import NIOCore
import TallyCore

/// Writes the answer of `/v1/series` piece by piece, since a million points are not wanted in memory a second time.
struct SeriesWriter {
    let answer: SeriesAnswer

    var contentType: String {
        switch answer.query.format {
        case .json: "application/json"
        case .csv: "text/csv; charset=utf-8"
        case .ndjson: "application/x-ndjson"
        }
    }

    /// A piece is handed on when it has this many bytes.
    private static let pieceBytes = 64 << 10

    @concurrent func write(to output: inout any ResponseBodyWriter) async throws {
        var json = JSONWriter()
        var buffer = ByteBuffer()
        buffer.reserveCapacity(SeriesWriter.pieceBytes + 1_024)
        writeBeginning(&json)
        for series in answer.series {
            writeBeginning(of: series, &json)
            buffer.writeBytes(json.takeBytes())
            var points = SeriesPointWriter(
                banner: series.banner, kind: series.kind, part: series.part, format: answer.query.format)
            var cursor = answer.points(of: series)
            while let point = cursor.next() {
                write(point, with: &points, to: &buffer)
                if buffer.readableBytes >= SeriesWriter.pieceBytes {
                    try await output.write(buffer)
                    buffer.clear()
                }
            }
            writeEnd(ofSeries: &json)
        }
        writeEnd(&json)
        buffer.writeBytes(json.takeBytes())
        try await output.write(buffer)
    }

    // MARK: The parts, in each format

    private func writeBeginning(_ json: inout JSONWriter) {
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

    private func writeBeginning(of series: Series, _ json: inout JSONWriter) {
        guard answer.query.format == .json else { return }
        json.begin("{")
        json.member("banner", series.banner.value)
        json.member("kind", series.kind.name)
        if let part = series.part {
            json.member("traffic", part.name)
            if let reason = part.reason { json.member("reason", reason.rawValue) }
        }
        json.name("points")
        json.begin("[")
    }

    private func write(_ point: Series.Point, with points: inout SeriesPointWriter, to buffer: inout ByteBuffer) {
        let start = answer.steps.starts[point.step]
        points.write(
            start: start, zone: zone(at: start), count: point.count, isFinal: answer.isFinal(step: point.step),
            to: &buffer)
    }

    private func writeEnd(ofSeries json: inout JSONWriter) {
        guard answer.query.format == .json else { return }
        json.end("]")
        json.end("}")
    }

    private func writeEnd(_ json: inout JSONWriter) {
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
