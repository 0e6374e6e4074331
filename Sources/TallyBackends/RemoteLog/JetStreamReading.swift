// SPDX-License-Identifier: Apache-2.0

/// Where a reader of a stream is, and what it has read ahead. It finds out what was lost on the way: JetStream sends each
/// message once to a consumer that acknowledges nothing, and a connection that breaks takes some of them along.
///
/// No I/O: the owner begins a consumer when `mustBegin` says so, and adds what it sends.
struct JetStreamReading<Message> {
    /// Reading from one of these goes on here: in between nothing is to be counted.
    private var continuing: ClosedRange<Int64>?
    /// The sequence that the consumer should send next.
    private(set) var position: Int64 = 1
    private(set) var mustBegin = true
    /// The consumer has sent nothing yet. What it leaves out then is not in the stream: it was deleted.
    private var isFresh = false
    private var ahead: ArraySlice<(sequence: Int64, message: Message)> = []

    /// Nowhere.
    init() {}

    init(at start: Int64) {
        continuing = start...start
        position = start
    }

    func continues(at start: Int64) -> Bool { continuing?.contains(start) == true }

    /// The consumer of before is of no use any more.
    mutating func begin() { mustBegin = true }

    /// The consumer begins at the position.
    /// - Parameter isAtEnd: nothing stood there yet, so that the next message is exactly the one of the position.
    mutating func didBegin(isAtEnd: Bool = false) {
        mustBegin = false
        isFresh = !isAtEnd
    }

    /// Something was read ahead.
    var hasMore: Bool { !ahead.isEmpty }

    /// - Returns: false when nothing of it is new.
    mutating func add(_ found: [(sequence: Int64, message: Message)]) -> Bool {
        // What it has sent may be lost, so that the next would look like the first.
        if found.isEmpty { begin() }
        let before = position
        for one in found where one.sequence >= position {
            guard one.sequence == position || isFresh else {
                begin()
                break
            }
            isFresh = false
            ahead.append(one)
            position = one.sequence + 1
        }
        return position > before
    }

    /// The next message that was read ahead.
    mutating func next() -> (sequence: Int64, message: Message)? {
        guard let one = ahead.popFirst(), let before = continuing else { return nil }
        continuing = before.lowerBound...one.sequence + 1
        return one
    }

    /// The last message went to the reader, which will ask for what is behind it.
    mutating func didGive() { continuing = continuing.map { $0.upperBound...$0.upperBound } }
}
