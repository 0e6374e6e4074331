// SPDX-License-Identifier: Apache-2.0

import Benchmark
import NIOCore
import TallyCore

/// The parts of the core that decide how fast Tally is, each alone: `make micro-bench`.
let benchmarks: @Sendable () -> Void = {
    let configuration = Benchmark.Configuration(
        metrics: [.wallClock, .throughput, .peakMemoryResident], maxDuration: .seconds(2))

    Benchmark("chunk: encode 1,000 deltas", configuration: configuration) { benchmark in
        let chunk = Sample.chunk(sequence: 1, deltas: 1_000)
        benchmark.startMeasurement()
        for _ in benchmark.scaledIterations { blackHole(chunk.encoded()) }
    }

    Benchmark("chunk: decode 1,000 deltas", configuration: configuration) { benchmark in
        let bytes = Sample.chunk(sequence: 1, deltas: 1_000).encoded()
        benchmark.startMeasurement()
        for _ in benchmark.scaledIterations { blackHole(try Chunk(decoding: bytes[...])) }
    }

    Benchmark("chunk: sum 1,000 events of 100 banners", configuration: configuration) { benchmark in
        let events = (0..<1_000).map { Sample.event(banner: Int64($0 % 100)) }
        benchmark.startMeasurement()
        for _ in benchmark.scaledIterations {
            var builder = ChunkBuilder()
            for event in events { precondition(builder.add(event), "there is room") }
            blackHole(builder.chunk(node: Sample.node, sequence: 1, time: Sample.time))
        }
    }

    Benchmark("journal: append 100 deltas, no disk", configuration: configuration) { benchmark in
        let journal = try Journal.open(
            on: ForgetfulDisk(), place: JournalPlace(dataDirectory: "."), settings: .default, newIdentity: Sample.node)
        var chunk = Sample.chunk(sequence: 1, deltas: 100)
        benchmark.startMeasurement()
        for _ in benchmark.scaledIterations {
            blackHole(try journal.append([chunk]))
            chunk.sequence += 1
        }
    }

    for layout in Layout.allCases {
        Benchmark("aggregator: apply 1,000 deltas, layout \(layout)", configuration: configuration) { benchmark in
            var aggregator = Aggregator(layout: layout, checkpoint: .start)
            var offset = LogOffset(1)
            var chunk = Sample.chunk(sequence: 1, deltas: 1_000)
            benchmark.startMeasurement()
            for _ in benchmark.scaledIterations {
                blackHole(aggregator.apply(LogEntry(offset: offset, chunk: chunk)))
                offset = offset.next
                chunk.sequence += 1
            }
        }
    }

    Benchmark("series: merge a day, the last hour not flushed", configuration: configuration) { benchmark in
        let stored = Sample.storedDay
        var aggregator = Aggregator(layout: .minute, checkpoint: .start)
        blackHole(aggregator.apply(LogEntry(offset: LogOffset(9), chunk: Sample.lastHour)))
        let unflushed = aggregator.unflushed(in: .everything)
        precondition(unflushed.count == 60, "nothing of the last hour is flushed")
        benchmark.startMeasurement()
        for _ in benchmark.scaledIterations {
            blackHole(
                MinuteCount.merge(
                    stored: stored, unflushed: unflushed, of: Sample.log, in: .everything, layout: .minute))
        }
    }

    Benchmark("series: write a day as JSON", configuration: configuration) { benchmark in
        let day = Sample.storedDay
        benchmark.startMeasurement()
        for _ in benchmark.scaledIterations {
            var buffer = ByteBuffer()
            var writer = SeriesPointWriter(banner: Sample.banner(1), kind: .click, format: .json)
            buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: day.count * writer.mostBytes) { bytes in
                day.reduce(0) { end, stored in
                    writer.write(
                        start: stored.row.key.start, zone: .utc, count: stored.row.counts.total, isFinal: true,
                        to: bytes, at: end)
                }
            }
            blackHole(buffer.readableBytes)
        }
    }

    Benchmark("batch: scan 1,000 lines", configuration: configuration) { benchmark in
        let lines = (0..<1_000).map { Array("{\"banner\":\($0 * 7 + 1),\"kind\":\"click\"}".utf8) }
        benchmark.startMeasurement()
        for _ in benchmark.scaledIterations {
            for line in lines {
                let event = line.withUnsafeBytes { bytes in
                    var scanner = EventScanner(bytes)
                    return scanner.nextEvent()
                }
                blackHole(event)
            }
        }
    }
}
