// SPDX-License-Identifier: Apache-2.0

/// Brings what was spooled to the log it is meant for, oldest first, and says whether new chunks go to the log or join the
/// spool: while the log does not answer they join it, so that nobody waits for a log that is away.
///
///     resting ──► reading ──► sending … ──► trimming ──► resting
///
/// No I/O: the owner does what `next` says, one thing at a time, and reports back. Nothing is written down about what was
/// sent: after a restart what is still in the spool is sent again, and counts once, since a chunk counts once per node and
/// sequence.
package struct Forwarder: Sendable {
    package enum Action: Equatable, Sendable {
        /// Read the spool from here on, and call `didRead`.
        case read(from: LogOffset)
        /// Append the chunk to the partition of its node, and call `didSend` or `didFail`.
        case send(Chunk)
        /// Let the spool drop what stands before, and call `didTrim`.
        case trim(before: LogOffset)
    }

    private enum Phase: Sendable { case resting, reading, sending, trimming }

    private var phase = Phase.resting
    private var entries: ArraySlice<LogEntry> = []
    /// The end of the spool when it was last read.
    private var end = LogOffset.none
    /// The last spooled chunk that the log has.
    package private(set) var position: LogOffset
    private var trimmedBefore: LogOffset
    /// The log did not answer when it was last asked: new chunks go into the spool.
    package private(set) var isLogAway = false

    /// - Parameter first: where the spool begins.
    package init(first: LogOffset) {
        position = LogOffset(first.value - 1)
        trimmedBefore = first
    }

    /// What to do now; nil when the log has everything.
    /// - Parameter end: of the spool.
    /// - Precondition: the last action was reported.
    package mutating func next(end: LogOffset) -> Action? {
        precondition(phase == .resting, "the last action was not reported")
        if let entry = entries.first {
            phase = .sending
            return .send(entry.chunk)
        }
        if position < end {
            phase = .reading
            self.end = end
            return .read(from: position.next)
        }
        guard trimmedBefore < position.next else { return nil }
        phase = .trimming
        return .trim(before: position.next)
    }

    /// - Parameter entries: `[]` when the spool has nothing more: damage may have taken its last offsets.
    package mutating func didRead(_ entries: [LogEntry]) {
        self.entries = entries[...]
        if entries.isEmpty { position = end }
        phase = .resting
    }

    package mutating func didSend() {
        guard let entry = entries.popFirst() else { preconditionFailure("nothing was to be sent") }
        position = entry.offset
        isLogAway = false
        phase = .resting
    }

    package mutating func didTrim() {
        trimmedBefore = position.next
        phase = .resting
    }

    /// The log or the spool did not do it; `next` says the same again, after a while.
    package mutating func didFail() {
        isLogAway = true
        phase = .resting
    }

    /// Whether the log took a chunk that was sent to it directly; if not, it goes into the spool, and others after it.
    package mutating func note(logAnswered: Bool) { isLogAway = !logAnswered }
}
