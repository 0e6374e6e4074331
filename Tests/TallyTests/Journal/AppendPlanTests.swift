// SPDX-License-Identifier: Apache-2.0

import TallySimulator
import Testing

@testable import TallyCore

@Suite("Where an append goes")
struct AppendPlanTests {
    private static let zeroedAtOnce = 256 << 10

    private func plan(
        _ numbers: ClosedRange<UInt64>, newest: Segment, writtenTo: Int = SegmentHeader.byteCount
    ) throws -> AppendPlan {
        try AppendPlan(
            SampleChunks.chunks(numbers), newest: newest, writtenTo: writtenTo, identity: JournalBench.identity,
            lastSequence: 0, segmentBytes: newest.size, format: RecordFormat(identity: JournalBench.identity))
    }

    private func segment(size: Int) -> Segment {
        Segment(
            SegmentHeader(
                identity: JournalBench.identity, size: size, first: LogOffset(1), lost: 0, synced: .none,
                lastSequence: 0))
    }

    @Test(
        "records that reach new space are followed by zeros, and those behind them by none until the space is used up")
    func zerosGoAhead() throws {
        let first = try #require(try plan(1...1, newest: segment(size: 1 << 20)).parts.first)
        #expect(first.position + first.bytes.count == AppendPlanTests.zeroedAtOnce)
        #expect(first.bytes[(first.segment.end - first.position)...].allSatisfy { $0 == 0 })
        #expect(first.bytes.prefix(first.segment.end - first.position).contains { $0 != 0 })

        let second = try #require(try plan(2...2, newest: first.segment, writtenTo: first.writtenTo).parts.first)
        #expect(second.position == first.segment.end)
        #expect(second.position + second.bytes.count == second.segment.end)
        #expect(second.writtenTo == first.writtenTo)

        let third = try #require(try plan(3...9_000, newest: second.segment, writtenTo: second.writtenTo).parts.first)
        #expect(third.segment.end > AppendPlanTests.zeroedAtOnce)
        #expect((third.position + third.bytes.count) % AppendPlanTests.zeroedAtOnce == 0)
    }

    @Test("zeros end where their segment ends")
    func zerosStayInTheSegment() throws {
        let plan = try plan(1...400, newest: segment(size: 4_096))
        #expect(plan.parts.count > 1)
        for part in plan.parts { #expect(part.position + part.bytes.count == part.segment.size) }
    }
}
