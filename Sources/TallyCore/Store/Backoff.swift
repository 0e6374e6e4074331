// SPDX-License-Identifier: Apache-2.0

/// How long to wait before the next try: twice as long each time, with "equal jitter" (half of it is random), so that
/// several clients of one server don't come back together.
///
///     failures    1         2         3      …   7 and more
///     seconds     0.25–0.5  0.5–1     1–2        15–30
package enum Backoff {
    /// - Parameters:
    ///   - failures: in a row, at least 1.
    ///   - jitter: a random number from 0 to 1.
    package static func delay(failures: Int, jitter: Double) -> Duration {
        let longest = min(30, 0.5 * Double(1 << min(failures - 1, 10)))
        return .seconds(longest / 2 * (1 + jitter))
    }
}
