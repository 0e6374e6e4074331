// SPDX-License-Identifier: Apache-2.0

/// When to ask again after a failure that may pass: after a pause that doubles each time, until a minute was waited.
struct RetrySchedule: Equatable, Sendable {
    var firstPause: Duration = .milliseconds(200)
    var longestPause: Duration = .seconds(10)
    /// All pauses together.
    var patience: Duration

    private var pauses = 0
    private var waited: Duration = .zero

    static let patient = RetrySchedule(patience: .seconds(60))
    /// For who waits at a terminal for one answer.
    static let never = RetrySchedule(patience: .zero)

    init(firstPause: Duration = .milliseconds(200), longestPause: Duration = .seconds(10), patience: Duration) {
        self.firstPause = firstPause
        self.longestPause = longestPause
        self.patience = patience
    }

    /// - Parameter asked: how long the server asked to wait (`Retry-After`).
    /// - Returns: how long to wait before the next try; nil when it is enough.
    mutating func nextPause(asked: Duration? = nil) -> Duration? {
        let doubled = (0..<min(pauses, 30)).reduce(firstPause) { pause, _ in min(longestPause, pause * 2) }
        let pause = min(longestPause, max(doubled, asked ?? .zero))
        guard waited + pause <= patience else { return nil }
        pauses += 1
        waited += pause
        return pause
    }
}
