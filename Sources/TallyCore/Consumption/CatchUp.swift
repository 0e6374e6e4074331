// SPDX-License-Identifier: Apache-2.0

/// Tracks the time up to which a reader has counted a log that keeps growing.
///
/// A read that returns nothing has reached the end. On a busy log that may never happen. So the reader asks for the end from time to
/// time. When it has counted up to that offset, it has counted everything that the log held at the time of the question.
///
/// Times are durations since any fixed moment. No I/O: the owner reads, asks for the end when `asksForEnd` says so, and reports back.
package struct CatchUp: Sendable {
    private struct Target {
        let end: LogOffset
        let time: Duration
    }

    /// How far behind the reader is before it asks for the end, and how often it asks.
    package static let questionInterval = Duration.milliseconds(500)

    /// Everything that the log held at this time is counted.
    package private(set) var countedUpTo: Duration
    /// When the end was asked for last.
    private var asked: Duration
    /// The end that was reported last, until it is counted.
    private var target: Target?

    package init(at time: Duration) { (countedUpTo, asked) = (time, time) }

    /// - Returns: whether to ask for the end now. A question that fails is not reported, and asked again later.
    package mutating func asksForEnd(at now: Duration) -> Bool {
        guard target == nil, now - max(countedUpTo, asked) >= CatchUp.questionInterval else { return false }
        asked = now
        return true
    }

    /// - Parameter time: when the question was asked.
    package mutating func didLearn(end: LogOffset, at time: Duration) { target = Target(end: end, time: time) }

    /// - Parameters:
    ///   - offset: the last one that is counted.
    ///   - foundNothing: the log held nothing after it when the read began.
    ///   - began: when the read began.
    /// - Returns: whether the reader has reached an end of the log.
    package mutating func didRead(upTo offset: LogOffset, foundNothing: Bool, began: Duration) -> Bool {
        if foundNothing {
            countedUpTo = began
        } else if let target, offset >= target.end {
            countedUpTo = target.time
        } else {
            return false
        }
        target = nil
        return true
    }
}
