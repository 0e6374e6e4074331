// SPDX-License-Identifier: Apache-2.0

import NIOCore
import TallyCore
import TallySimulator
import Testing

@testable import TallyServer

struct SeriesPointWriterTests {
    private let banner = BannerID(42)!
    private let kind = Kind("view_2")!

    /// The same points, put together from texts.
    private func plain(
        _ points: [(start: Minute, zone: WrittenTime.Zone, count: Int64, isFinal: Bool)], _ format: SeriesFormat
    ) -> String {
        let texts = points.map { point in
            let time = point.start.text(in: point.zone)
            return switch format {
            case .json: "{\"ts\":\"\(time)\",\"v\":\(point.count),\"final\":\(point.isFinal)}"
            case .ndjson:
                "{\"banner\":42,\"kind\":\"view_2\",\"ts\":\"\(time)\",\"v\":\(point.count),\"final\":\(point.isFinal)}\n"
            case .csv: "42,view_2,\(time),\(point.count),\(point.isFinal)\n"
            }
        }
        return texts.joined(separator: format == .json ? "," : "")
    }

    @Test(arguments: SeriesFormat.allCases)
    func `points are what the same texts one by one would be`(format: SeriesFormat) {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(seed: seed)
        let zones: [WrittenTime.Zone] = [
            .utc, .offset(minutes: 180), .offset(minutes: -570), .offset(minutes: 0), .unstated, .offset(minutes: 845),
        ]
        for round in 0..<300 {
            var minute = Minute.first.advanced(by: .random(in: 0...4_223_371_679, using: &random))
            let zone = zones[round % zones.count]
            let points = (0..<20).map { index in
                minute = minute.advanced(by: [1, 5, 60, 1_440, 0].randomElement(using: &random)!)
                let counts: [Int64] = [
                    0, 9, 10, 99, .max, .max - 1, 1_000_000_000_000_000_000, .random(in: 0...12_345, using: &random),
                ]
                return (
                    start: minute, zone: index == 19 ? .utc : zone, count: counts.randomElement(using: &random)!,
                    isFinal: Bool.random(using: &random)
                )
            }
            var buffer = ByteBuffer()
            var writer = SeriesPointWriter(banner: banner, kind: kind, format: format)
            for point in points {
                buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: writer.mostBytes) { bytes in
                    let room = UnsafeMutableRawBufferPointer(rebasing: bytes[..<writer.mostBytes])
                    return writer.write(
                        start: point.start, zone: point.zone, count: point.count, isFinal: point.isFinal, to: room,
                        at: 0)
                }
            }
            #expect(String(buffer: buffer) == plain(points, format), "seed \(seed), round \(round)")
        }
    }

    @Test func `steps without a count are zeros where they are asked for`() {
        let points = [2, 3, 5].map { Series.Point(step: $0, count: Int64($0) * 10) }
        func all(_ points: SeriesPoints) -> [Series.Point] {
            var (points, found) = (points, [Series.Point]())
            while let point = points.next() { found.append(point) }
            return found
        }
        #expect(all(SeriesPoints(points, filledUpTo: nil)) == points)
        #expect(all(SeriesPoints(points, filledUpTo: 7)).map(\.count) == [0, 0, 20, 30, 0, 50, 0])
        #expect(all(SeriesPoints(points, filledUpTo: 7)).map(\.step) == Array(0..<7))
        #expect(all(SeriesPoints([], filledUpTo: 0)).isEmpty)
    }
}
