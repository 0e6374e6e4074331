// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TallyCore

@Suite("Which times of a clock are trusted")
struct ClockGuardTests {
    private static let start: Int64 = 1_733_998_800_000
    private static let day: Int64 = 86_400_000

    /// A machine whose clock is set by a test.
    private struct Machine {
        var wall = ClockGuardTests.start
        var sinceBoot: Int64 = 5_000
        var clockGuard: ClockGuard

        init(logTime: Int64 = 0, maximumAhead: Int64 = 400 * ClockGuardTests.day) {
            clockGuard = ClockGuard(logTime: Timestamp(milliseconds: logTime), maximumAhead: maximumAhead)
        }

        /// - Returns: nil when the clock is trusted, else the estimate.
        mutating func estimate() -> Int64? {
            switch clockGuard.judge(.init(wall: Timestamp(milliseconds: wall), sinceBoot: sinceBoot)) {
            case .trusted(let time):
                #expect(time.milliseconds == wall)
                return nil
            case .ahead(let estimate): return estimate.milliseconds
            }
        }

        mutating func pass(_ milliseconds: Int64) {
            wall += milliseconds
            sinceBoot += milliseconds
        }

        /// As a server that looks at its clock every second.
        mutating func watch(for milliseconds: Int64) {
            for _ in 0..<(milliseconds / 1_000) {
                pass(1_000)
                _ = estimate()
            }
        }
    }

    @Test("a clock that goes as time since boot does, for a year asleep, too")
    func usual() {
        var machine = Machine(logTime: Self.start - 5_000)
        #expect(machine.estimate() == nil)
        machine.pass(1)
        #expect(machine.estimate() == nil)
        machine.pass(500 * Self.day)
        #expect(machine.estimate() == nil)
    }

    @Test(
        "a jump ahead is not trusted, and the time goes on without it",
        arguments: [61_000, 3_600_000, 30 * 365 * day])
    func jump(milliseconds: Int64) {
        var machine = Machine()
        #expect(machine.estimate() == nil)
        machine.pass(10_000)
        machine.wall += milliseconds
        #expect(machine.estimate() == Self.start + 10_000)
        machine.pass(2_000)
        #expect(machine.estimate() == Self.start + 12_000)
        machine.wall -= milliseconds
        #expect(machine.estimate() == nil)
    }

    @Test("a small step is trusted at once, and one behind it later")
    func steps() {
        var machine = Machine()
        _ = machine.estimate()
        machine.wall += 60_000
        #expect(machine.estimate() == nil)
        machine.wall += 1_500
        #expect(machine.estimate() == Self.start)
        machine.wall -= 1_500
        machine.watch(for: ClockGuard.settlingTime + 1_000)
        machine.wall += 60_000
        #expect(machine.estimate() == nil)
    }

    @Test("a gain that lasts is trusted: the machine was suspended from outside")
    func suspended() {
        var machine = Machine()
        _ = machine.estimate()
        machine.wall += 3 * Self.day
        #expect(machine.estimate() != nil)
        machine.watch(for: ClockGuard.settlingTime - 1_000)
        #expect(machine.estimate() != nil)
        machine.pass(1_000)
        #expect(machine.estimate() == nil)
    }

    @Test("a clock that keeps jumping never settles")
    func restless() {
        var machine = Machine()
        _ = machine.estimate()
        for _ in 0..<100 {
            machine.wall += 120_000
            machine.watch(for: 60_000)
            #expect(machine.estimate() != nil)
        }
    }

    @Test("a gain beyond the limit is not trusted, however long it lasts")
    func far() {
        var machine = Machine(maximumAhead: Self.day)
        _ = machine.estimate()
        machine.wall += 2 * Self.day
        machine.watch(for: 3 * ClockGuard.settlingTime)
        #expect(machine.estimate() != nil)
        machine.wall -= 2 * Self.day
        #expect(machine.estimate() == nil)
    }

    @Test("a clock that was set back and is right again")
    func backAndForth() {
        var machine = Machine()
        _ = machine.estimate()
        machine.wall -= 50 * Self.day
        machine.watch(for: 2 * ClockGuard.settlingTime)
        #expect(machine.estimate() == nil)
        machine.wall += 50 * Self.day
        #expect(machine.estimate() == nil)
    }

    @Test("after a start a server that was off for a month goes on, and a clock beyond the limit waits")
    func start() {
        var machine = Machine(logTime: Self.start - 30 * Self.day)
        #expect(machine.estimate() == nil)
        var wrong = Machine(logTime: Self.start - 401 * Self.day)
        #expect(wrong.estimate() == Self.start - 401 * Self.day)
        wrong.watch(for: 2 * ClockGuard.settlingTime)
        #expect(wrong.estimate() == Self.start - 401 * Self.day)
        wrong.wall -= 300 * Self.day
        #expect(wrong.estimate() == nil)
    }
}
