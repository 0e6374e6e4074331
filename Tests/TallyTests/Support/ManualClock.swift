// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TallyCore

/// A clock that stands still until a test moves it.
final class ManualClock: WallClock {
    private struct State {
        var time: Timestamp
        var sinceBoot: Int64 = 0
    }

    private let state: Mutex<State>

    init(_ time: Timestamp = Timestamp(milliseconds: 1_733_998_800_000)) { state = Mutex(State(time: time)) }

    func now() -> Timestamp { state.withLock { $0.time } }

    func sinceBoot() -> Int64 { state.withLock { $0.sinceBoot } }

    /// What lies ahead comes after as much time; what lies behind is a jump.
    func set(_ now: Timestamp) {
        state.withLock { state in
            state.sinceBoot += max(0, now.milliseconds - state.time.milliseconds)
            state.time = now
        }
    }

    func advance(by duration: Duration) { set(now().advanced(by: duration)) }

    func jump(to time: Timestamp) { state.withLock { $0.time = time } }
}
