// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// The clocks of servers, and what they make of them.
extension World {
    /// In milliseconds.
    private static let maximumAhead: Int64 = 30 * 86_400_000

    /// - Parameter logTime: `.epoch` when nothing was ever counted.
    func clockGuard(logTime: Timestamp, _ process: ProcessID) -> ClockGuard {
        // A server that has no log yet has nothing to compare its clock with.
        if logTime == .epoch { machine(of: process).clock.endShortJump() }
        var clockGuard = ClockGuard(logTime: logTime, maximumAhead: World.maximumAhead)
        _ = clockGuard.judge(machine(of: process).clock.reading(at: now))
        return clockGuard
    }

    /// - Returns: nil while the server does not trust its clock, and counts nothing.
    func trustedTime(_ intake: Intake, _ process: ProcessID) -> Timestamp? {
        if case .trusted(let time) = intake.clock.judge(machine(of: process).clock.reading(at: now)) { return time }
        counters[.untrustedClocks] += 1
        return nil
    }

    /// The time of a commit, which the window of late events follows.
    func commitTime(_ process: ProcessID) -> Timestamp {
        let clock = machine(of: process).clock
        guard let intake = self.process(process)?.intake else { return clock.time(at: now) }
        let time =
            switch intake.clock.judge(clock.reading(at: now)) {
            case .trusted(let time), .ahead(estimate: let time): time
            }
        let error = time.milliseconds - clock.timeWithoutShortJump(at: now).milliseconds
        auditor.require(
            error <= ClockGuard.tolerance, "the time of the log follows a clock that was ahead for less than a minute")
        intake.window.observe(time)
        return time
    }

    /// A clock that its server does not trust is set right; one that has jumped, and is trusted, stays as it is.
    func setClockRight(_ machine: Machine) {
        machine.clock.endShortJump()
        let reading = machine.clock.reading(at: now)
        guard case .ahead(let estimate) = machine.process?.intake?.clock.judge(reading) else { return }
        machine.clock.jump(by: estimate.milliseconds - reading.wall.milliseconds)
    }
}
