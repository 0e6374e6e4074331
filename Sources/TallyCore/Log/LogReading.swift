// SPDX-License-Identifier: Apache-2.0

/// Reads one log of remote servers in order, through a consumer that sends messages from an offset on.
///
/// It keeps the promise of `EventLog.read`: a message is given only when every offset between it and the one asked for was
/// given, or is proven to hold none. The servers may drop the beginning of the log between any two calls, a consumer may
/// skip what was dropped, and what it sent may be lost on the way. So whenever a message does not follow the one before it,
/// the bounds of the log are asked for, *after* the message came: what was trimmed is reported, what the answer proves to be
/// absent is passed over, and for anything else the consumer begins again.
///
///     locating ──didLearn──► ready ──begin, fetch──► ready
///                              ├──a gap──► proving ──didLearn──► ready, or trimmed
///                              └──behind the known end──► locating
///
/// No I/O: the owner does what `action` says, one thing at a time, and reports back.
package struct LogReading<Message> {
    package typealias Item = (offset: LogOffset, message: Message)

    package enum Action: Equatable, Sendable {
        /// Take messages with `next`.
        case give
        /// Ask the servers for the bounds of the log, with what is absent when `listsAbsent`, and call `didLearn`.
        case askBounds(listsAbsent: Bool)
        /// Begin a consumer at this offset, and call `didBegin`, or `didFail`.
        case begin(LogOffset)
        /// Take what the consumer has sent, and call `didFetch`, or `didFail` when that may be lost.
        case fetch
        /// Nothing stands at the offset asked for or behind it.
        case end
        /// What was to be read next was dropped; the log begins here.
        case trimmed(first: LogOffset)
    }

    fileprivate enum Phase {
        /// Where the log begins and ends has to be asked.
        case locating
        case ready
        /// Messages that do not follow the position.
        case proving([Item])
        case end
        case trimmed(first: LogOffset)
    }

    private var phase = Phase.locating
    /// Reading from one of these goes on here: in between stands nothing that is to be counted. nil before the first request.
    private var continuing: ClosedRange<LogOffset>?
    /// The offset of the next message that is not read ahead.
    package private(set) var position = LogOffset(1)
    private var ahead: ArraySlice<Item> = []
    /// The log holds, or held, messages up to here.
    private var knownEnd = LogOffset.none

    package init() {}

    // MARK: Asking

    /// Reading goes on at this offset, or moves there.
    package mutating func request(from offset: LogOffset) {
        let start = max(offset, LogOffset(1))
        if continuing?.contains(start) == true {
            switch phase {
            case .end: phase = .ready
            case .trimmed: phase = .locating
            case .locating, .ready, .proving: break
            }
            return
        }
        let knownEnd = knownEnd
        self = LogReading()
        self.knownEnd = knownEnd
        continuing = start...start
        position = start
    }

    package var action: Action {
        if !ahead.isEmpty { return .give }
        switch phase {
        case .locating: return .askBounds(listsAbsent: false)
        case .proving: return .askBounds(listsAbsent: true)
        case .end: return .end
        case .trimmed(let first): return .trimmed(first: first)
        case .ready:
            if position > knownEnd { return .askBounds(listsAbsent: false) }
            return needsConsumer ? .begin(position) : .fetch
        }
    }

    /// Nothing was read ahead, so that the next message can be waited for with a consumer at the position, which may lie
    /// behind the end.
    package var canWait: Bool {
        if case .proving = phase { return false }
        return ahead.isEmpty
    }

    /// A consumer has to begin at the position before anything can be fetched.
    package private(set) var needsConsumer = true

    /// The next message, in order; the owner calls `didGive` when it goes to the reader.
    package mutating func next() -> Item? {
        guard let item = ahead.popFirst(), let before = continuing else { return nil }
        continuing = before.lowerBound...item.offset.next
        return item
    }

    /// The last message went to the reader, which asks for what is behind it from now on.
    package mutating func didGive() { continuing = continuing.map { $0.upperBound...$0.upperBound } }

    // MARK: Reporting

    /// - Parameter bounds: as they were at some moment since `action` asked for them.
    package mutating func didLearn(_ bounds: LogBounds) {
        precondition(ahead.isEmpty, "bounds are asked for when everything read ahead was given")
        knownEnd = max(knownEnd, bounds.last)
        if position < bounds.first {
            needsConsumer = true
            phase = .trimmed(first: bounds.first)
        } else if case .proving(let items) = phase {
            phase = .ready
            passOverGap(before: items, bounds)
        } else {
            phase = position > bounds.last ? .end : .ready
        }
    }

    private mutating func passOverGap(before items: [Item], _ bounds: LogBounds) {
        guard let first = items.first?.offset, bounds.proveAbsent(position..<first) else {
            needsConsumer = true
            return
        }
        position = first
        _ = take(items[...])
    }

    /// The consumer begins at the position.
    package mutating func didBegin() { needsConsumer = false }

    /// - Parameter items: what the consumer sent, ascending, at least one.
    /// - Returns: false when there is nothing of use in it.
    @discardableResult
    package mutating func didFetch(_ items: [Item]) -> Bool { take(items.drop { $0.offset < position }) }

    /// The consumer is of no use any more, or what it has sent may be lost: another one begins at the position, once the
    /// bounds are known again.
    package mutating func didFail() {
        needsConsumer = true
        phase = ahead.isEmpty ? .locating : .ready
    }

    /// A message is there to be fetched, so that the end need not be asked for.
    package mutating func didNoticeMessage() { knownEnd = max(knownEnd, position) }

    private mutating func take(_ items: ArraySlice<Item>) -> Bool {
        let before = position
        for index in items.indices {
            guard items[index].offset == position else {
                // What stands before the gap is given first.
                phase = .proving(Array(items[index...]))
                break
            }
            ahead.append(items[index])
            position = items[index].offset.next
        }
        knownEnd = max(knownEnd, LogOffset(position.value - 1))
        return position > before
    }
}

extension LogReading: Sendable where Message: Sendable {}
extension LogReading.Phase: Sendable where Message: Sendable {}
