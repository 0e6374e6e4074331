// SPDX-License-Identifier: Apache-2.0

/// Decides up to which moment a reader has counted a log to which others append meanwhile.
///
/// A reading that finds nothing has come to the end. Where others append as fast as the reader reads, that may never happen, so
/// from time to time the end is asked for: once the reader has counted up to it, everything that was in the log at the time of
/// the question is counted.
///
/// Times are since any fixed moment. No I/O: the owner reads, asks when `asksForEnd` says so, and reports back.
package struct CatchUp: Sendable {
    private struct Target {
        let end: LogOffset
        let time: Duration
    }

    /// How much later than `time` it must be before the end is worth a question.
    package static let interval = Duration.milliseconds(500)

    /// Everything that was in the log at this time is counted.
    package private(set) var time: Duration
    /// The end that was asked for last, while it is not counted.
    private var target: Target?

    /// - Parameter time: a moment up to which everything is counted.
    package init(at time: Duration) { self.time = time }

    package func asksForEnd(at now: Duration) -> Bool { target == nil && now - time >= CatchUp.interval }

    /// - Parameter time: when the question was asked.
    package mutating func didLearn(end: LogOffset, at time: Duration) { target = Target(end: end, time: time) }

    /// - Parameters:
    ///   - offset: the last one that is counted.
    ///   - foundNothing: nothing stood behind it when the reading began.
    ///   - began: when the reading began.
    /// - Returns: whether the reader has caught up with a later moment than before.
    package mutating func didRead(upTo offset: LogOffset, foundNothing: Bool, began: Duration) -> Bool {
        if foundNothing {
            time = max(time, began)
            target = nil
            return true
        }
        guard let target, offset >= target.end else { return false }
        time = max(time, target.time)
        self.target = nil
        return true
    }
}
