// SPDX-License-Identifier: Apache-2.0

import Foundation
import TallyCore
import TallySimulator
import Testing

@testable import TallyServer

struct BatchReaderTests {
    /// `TALLY_SEED` repeats a run.
    private static let seed =
        ProcessInfo.processInfo.environment["TALLY_SEED"].flatMap { UInt64($0) } ?? .random(in: 0 ... .max)

    @Test func `any body is read as JSONReader reads it, in whatever parts it arrives`() {
        var text = BatchText(random: SeededGenerator(seed: BatchReaderTests.seed))
        let service = CountingInMemory()
        var scanned = 0
        for round in 0..<6_000 {
            let body = text.body()
            let cuts = text.cuts(of: body.count)
            let backfill = round % 4 == 0
            let expected = BatchOutcome(try ReferenceBatch(reading: body, backfill: backfill, service: service))
            let found = BatchOutcome(
                try EventBatch(reading: body, cutAt: cuts, backfill: backfill, service: service))
            scanned += expected.count
            #expect(
                found == expected,
                "seed \(BatchReaderTests.seed), round \(round), cut at \(cuts): \(String(decoding: body, as: UTF8.self))"
            )
            if found != expected { return }
        }
        #expect(scanned > 6_000, "most bodies hold events that count")
    }

    @Test func `a body is the same wherever it is cut, and byte by byte`() throws {
        let lines =
            "\u{FEFF} \r\n{\"banner\":1}\r\n\n{\"banner\":1,\"kind\":\"view\",\"n\":2}\n7\n"
            + "{\"banner\":\"é\"}\n {\"banner\":1}"
        let array = " [ {\"banner\":1},{\"banner\":1,\"id\":\"a\"} , 7,{\"banner\":1}] "
        let service = CountingInMemory()
        for body in [Array(lines.utf8), Array(array.utf8), [0xEF], [0xEF, 0xBB, 0xBF], Array(" \n ".utf8), []] {
            let expected = BatchOutcome(try ReferenceBatch(reading: body, backfill: false, service: service))
            for place in 0...body.count {
                let cut = BatchOutcome(
                    try EventBatch(reading: body, cutAt: [place], backfill: false, service: service))
                #expect(cut == expected, "cut at \(place)")
            }
            let single = BatchOutcome(
                try EventBatch(reading: body, cutAt: Array(0..<body.count), backfill: false, service: service))
            #expect(single == expected)
        }
    }

    @Test func `events that are alike become one entry, those with ids or of other minutes do not`() throws {
        let service = CountingInMemory()
        let body = """
            {"banner":1}
            {"kind":"click","banner":1,"n":4}
            {"banner":1,"ts":"2024-12-12T10:04:01Z"}
            {"banner":1,"ts":"2024-12-12T10:04:59Z"}
            {"banner":1,"id":"a"}
            {"banner":1,"id":"a"}
            {"banner":1,"kind":"view"}
            """
        let batch = try EventBatch(reading: Array(body.utf8), backfill: false, service: service)
        #expect(batch.accepted.count == 7)
        #expect(batch.accepted.events.map(\.count) == [5, 2, 1, 1, 1])
    }

    @Test func `a sum beyond what one entry holds goes on in the next`() throws {
        let service = CountingInMemory()
        let body = Array(repeating: #"{"banner":1,"n":600000000}"#, count: 3).joined(separator: "\n")
        let batch = try EventBatch(reading: Array(body.utf8), backfill: false, service: service)
        #expect(batch.accepted.count == 3)
        #expect(batch.accepted.events.map(\.count) == [600_000_000, 600_000_000, 600_000_000])
        let outcome = BatchOutcome(batch)
        #expect(outcome.sums.values.reduce(0, +) == 1_800_000_000)
    }

    @Test func `of more kinds than there may be, the rest is left to JSONReader`() throws {
        let lines = (0..<20_000).map { "{\"banner\":1,\"kind\":\"k\($0)\"}\n" }.joined()
        let service = CountingInMemory()
        let found = BatchOutcome(try EventBatch(reading: Array(lines.utf8), backfill: false, service: service))
        let expected = BatchOutcome(try ReferenceBatch(reading: Array(lines.utf8), backfill: false, service: service))
        #expect(found == expected)
        var kinds = KindWords()
        let known = (0..<20_000).filter { number in
            Array("k\(number)".utf8).withUnsafeBytes { bytes in
                KindWords.Words(bytes).flatMap { kinds.number(of: $0) } != nil
            }
        }
        #expect(known.count == Limits.kinds - 1, "click is one of them")
    }

    @Test func `a minute that begins while a body arrives is the minute of what comes then`() throws {
        let service = CountingInMemory()
        var reader = BatchReader(backfill: false, service: service)
        let line = Array("{\"banner\":1}\n".utf8)
        line.withUnsafeBytes { reader.read($0) }
        service.set(\.now, Timestamp(milliseconds: 1_733_997_960_000))
        line.withUnsafeBytes { reader.read($0) }
        line.withUnsafeBytes { reader.read($0) }
        let events = try reader.finish().accepted.events
        #expect(events.map(\.count) == [1, 2])
        #expect(events.map { $0.minute.text() } == ["2024-12-12T10:05:00Z", "2024-12-12T10:06:00Z"])
    }
}
