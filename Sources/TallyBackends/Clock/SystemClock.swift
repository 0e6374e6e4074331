// SPDX-License-Identifier: Apache-2.0

import Glibc
package import TallyCore

/// The machine's clocks.
package struct SystemClock: WallClock {
    package init() {}

    package func now() -> Timestamp { Timestamp(milliseconds: milliseconds(of: CLOCK_REALTIME)) }

    package func sinceBoot() -> Int64 { milliseconds(of: CLOCK_BOOTTIME) }

    private func milliseconds(of clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }
}
