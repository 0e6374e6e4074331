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
        writeBeginning(&json)
        for series in answer.series {
            writeBeginning(of: series, &json)
            for point in answer.points(of: series) {
                write(point, of: series, &json)
                if json.bytes.count >= SeriesWriter.pieceBytes {
                    try await output.write(ByteBuffer(bytes: json.takeBytes()))
                }
            }
            writeEnd(ofSeries: &json)
        }
        writeEnd(&json)
        try await output.write(ByteBuffer(bytes: json.takeBytes()))
    }

    // MARK: The parts, in each format

    private func writeBeginning(_ json: inout JSONWriter) {
        switch answer.query.format {
        case .ndjson: break
        case .csv: json.raw("banner,kind,ts,v,final\n")
        case .json:
            let query = answer.query
            json.begin("{")
            json.member("from", query.minutes.lowerBound, in: zone(at: query.minutes.lowerBound))
            json.member("to", query.minutes.upperBound, in: zone(at: query.minutes.upperBound))
            json.member("step", query.step.rawValue)
            if let name = query.zoneName { json.member("tz", name) }
            json.member("watermark", answer.watermark)
            json.name("series")
            json.begin("[")
        }
    }

    private func writeBeginning(of series: Series, _ json: inout JSONWriter) {
        guard answer.query.format == .json else { return }
        json.begin("{")
        json.member("banner", series.banner.value)
        json.member("kind", series.kind.name)
        json.name("points")
        json.begin("[")
    }

    private func write(_ point: Series.Point, of series: Series, _ json: inout JSONWriter) {
        switch answer.query.format {
        case .csv: writeLine(point, of: series, &json)
        case .json, .ndjson:
            let isLine = answer.query.format == .ndjson
            json.object { json in
                if isLine {
                    json.member("banner", series.banner.value)
                    json.member("kind", series.kind.name)
                }
                let start = answer.steps.starts[point.step]
                json.member("ts", start, in: zone(at: start))
                json.member("v", point.count)
                json.member("final", answer.isFinal(step: point.step))
            }
            if isLine { json.endLine() }
        }
    }

    private func writeLine(_ point: Series.Point, of series: Series, _ json: inout JSONWriter) {
        let start = answer.steps.starts[point.step]
        json.raw("\(series.banner),\(series.kind),")
        json.raw(start, in: zone(at: start))
        json.raw(",\(point.count),\(answer.isFinal(step: point.step))\n")
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
