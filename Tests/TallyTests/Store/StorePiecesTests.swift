// SPDX-License-Identifier: Apache-2.0

import TallyCore
import TallySimulator
import Testing

@Suite("A store is cut into pieces")
struct StorePiecesTests {
    @Test("every minute with a count lies in exactly one piece of whole hours", arguments: UInt64(1)...20)
    func everyMinuteOnce(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let store = MemoryStore(layout: .minute)
        for _ in 0..<200 {
            let minute = random.number(random.isTrue(oneIn: 5) ? -100_000...100_000 : -300...300)
            let row = StoreTest.row(
                random.number(1...12), StoreTest.kinds[Int(random.number(0...2))], minute: minute,
                count: random.number(1...5), upTo: 1, .minute)
            try await store.merge([row], of: StoreTest.log)
        }
        let totals = try await store.totals(in: .everything, with: [])
        for limit in [1, 20, 100, 1_000_000] as [Int64] {
            let pieces = StorePieces.ranges(of: totals, limit: limit)
            var found: [StoredRow] = []
            for piece in pieces {
                #expect(piece.minutes.lowerBound.sinceEpoch % 60 == 0 && piece.minutes.upperBound.sinceEpoch % 60 == 59)
                found += try await store.rows(in: piece)
            }
            let all = try await store.rows(in: .everything)
            #expect(found.count == all.count && Set(found) == Set(all), "seed \(seed), limit \(limit)")
        }
    }

    @Test("few counts in a long time are one piece, and many are several")
    func weights() {
        let rare = (1...1_000).map { StoreTest.total($0, count: 2, minutes: -1_000_000...1_000_000) }
        #expect(StorePieces.ranges(of: rare, limit: 2_000).count == 1)
        #expect(StorePieces.ranges(of: rare, limit: 200).count == 10)
        let busy = StoreTest.total(1, count: .max, minutes: 0...5_999)
        #expect(StorePieces.ranges(of: [busy], limit: 600).count == 10)
        #expect(StorePieces.ranges(of: []).isEmpty)
    }

    @Test("the ends of time are in a piece")
    func endsOfTime() {
        let all = Total(banner: StoreTest.banner(1), kind: .click, count: 2, minutes: .first ... .last)
        #expect(StorePieces.ranges(of: [all]).map(\.minutes) == [.first ... .last])
    }
}
