// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TallyCore

/// A clock that stands still until a test moves it.
final class ManualClock: WallClock {
    private let time: Mutex<Timestamp>

    init(_ time: Timestamp = Timestamp(milliseconds: 1_733_998_800_000)) { self.time = Mutex(time) }

    func now() -> Timestamp { time.withLock { $0 } }

    func set(_ now: Timestamp) { time.withLock { $0 = now } }

    func advance(by duration: Duration) { time.withLock { $0 = $0.advanced(by: duration) } }
}
