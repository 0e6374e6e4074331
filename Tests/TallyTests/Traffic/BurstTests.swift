// SPDX-License-Identifier: Apache-2.0

import NIOCore
import TallyCore
import TallySimulator
import Testing

@testable import TallyServer

@Suite("More than a person does")
struct BurstTests {
    @Test func `is what comes behind the limit, until the window is over`() {
        var table = BurstTable(limit: 3, window: 1_000, slots: 8)
        var answers: [Bool] = []
        for now in [0, 1, 2, 3, 999, 1_000, 1_999, 1_999, 1_999] as [Int64] { answers.append(table.count(7, at: now)) }
        #expect(
            answers == [false, false, false, true, true, false, false, false, true], "the next window begins at 1000")
        let other = table.count(8, at: 1_999)
        #expect(!other, "another has his own count")
    }

    @Test(arguments: [4, 12]) func `nobody passes for more than he is, and for less only among too many`(
        visitors: UInt64
    ) {
        var generator = SeededGenerator(seed: visitors)
        var table = BurstTable(limit: 5, window: 50, slots: 8)
        var windows: [UInt64: (began: Int64, count: Int)] = [:]
        var times: [UInt64: [Int64]] = [:]
        var bursts = 0
        for time in 0..<20_000 as Range<Int64> {
            let now = time / 4
            let key = UInt64.random(in: 1...visitors, using: &generator) &* 0x9E37_79B9_7F4A_7C15
            var window = windows[key] ?? (now, 0)
            if now - window.began >= 50 { window = (now, 0) }
            window.count += 1
            windows[key] = window
            times[key, default: []].append(now)
            let isBurst = table.count(key, at: now)
            bursts += isBurst ? 1 : 0
            if visitors <= 8 { #expect(isBurst == (window.count > 5)) }
            if isBurst { #expect(times[key, default: []].count { $0 > now - 50 } > 5) }
        }
        #expect(bursts > 0)
    }

    @Test func `is counted by visitor and banner, over all loops`() async {
        let watch = BurstWatch(limit: 100, window: .seconds(60))
        let now = NIODeadline.uptimeNanoseconds(1_000_000)
        let invalid = await withTaskGroup(of: Int.self) { tasks in
            for _ in 0..<4 {
                tasks.addTask {
                    (0..<50).count { _ in watch.count(Visitor(bits: 1), BannerID(1)!, at: now) }
                }
            }
            return await tasks.reduce(0, +)
        }
        #expect(invalid == 100)
        #expect(!watch.count(Visitor(bits: 1), BannerID(2)!, at: now))
        #expect(!watch.count(Visitor(bits: 2), BannerID(1)!, at: now))
        #expect(!watch.count(Visitor(bits: 1), BannerID(1)!, at: now + .minutes(1)))
    }

    // MARK: Visitors

    private func visitor(_ salt: VisitorSalt, _ address: String, _ userAgent: String, _ day: Int64) -> Visitor {
        Array(userAgent.utf8).withUnsafeBytes { salt.visitor(address, $0, on: Day(sinceEpoch: day)!) }
    }

    @Test func `a visitor is an address and a user agent, for a day, on one server`() {
        let salt = VisitorSalt()
        let one = visitor(salt, "c0.0.2.1", "a", 20_000)
        #expect(visitor(salt, "c0.0.2.1", "a", 20_000) == one)
        #expect(visitor(salt, "c0.0.2.2", "a", 20_000) != one)
        #expect(visitor(salt, "c0.0.2.1", "b", 20_000) != one)
        #expect(visitor(VisitorSalt(), "c0.0.2.1", "a", 20_000) != one)
        let next = visitor(salt, "c0.0.2.1", "a", 20_001)
        #expect(next != one)
        // At midnight some are still in the day that is over.
        #expect(visitor(salt, "c0.0.2.1", "a", 20_000) == one)
        #expect(visitor(salt, "c0.0.2.1", "a", 20_001) == next)
        _ = visitor(salt, "c0.0.2.1", "a", 20_002)
        #expect(visitor(salt, "c0.0.2.1", "a", 20_000) != one, "its key is forgotten")
    }
}
