// SPDX-License-Identifier: Apache-2.0

/// Which event ids were seen within the window.
///
/// What is remembered depends on the end of the log alone: an id is known if it stood in one of the last chunks, as many as
/// lie within `window` of the log's time and hold at most `limit` ids together. A repeated id is as new as its last
/// appearance. So whoever reads the log from `oldest` on knows exactly what a reader from the beginning knows.
package struct SeenEvents: Sendable {
    /// The ids of one chunk.
    private struct Group {
        var offset: LogOffset
        var time: Timestamp
        var timeBefore: Timestamp
        var ids: [EventID]
    }

    private let window: Duration
    private let limit: Int
    private var groups: [Group] = []
    /// Groups before this index have expired; they are removed in bulk.
    private var firstGroup = 0
    private var lastSeen: [EventID: LogOffset] = [:]
    private var idCount = 0

    /// - Parameters:
    ///   - window: how long an id is known, in log time.
    ///   - limit: how many ids are known at most; the ids of the latest chunk are known in any case.
    package init(window: Duration, limit: Int) {
        self.window = window
        self.limit = limit
    }

    /// The ids that are known.
    package var count: Int { lastSeen.count }

    /// The chunk to read from in order to know the same ids, and the log's time before it; nil when no id is known.
    package var oldest: (offset: LogOffset, timeBefore: Timestamp)? {
        groups.indices.contains(firstGroup) ? (groups[firstGroup].offset, groups[firstGroup].timeBefore) : nil
    }

    /// Forgets what has left the window.
    /// - Parameter time: the log's time; never decreases.
    package mutating func advance(to time: Timestamp) {
        while firstGroup < groups.count, groups[firstGroup].time.advanced(by: window) < time { forgetOldestGroup() }
    }

    /// Marks the ids of a chunk as seen.
    /// - Parameters:
    ///   - time: the log's time with this chunk; `timeBefore` without it.
    ///   - isNew: called for each id in order, with its index and whether it was unknown until now.
    package mutating func insert(
        _ ids: [EventID], at offset: LogOffset, time: Timestamp, timeBefore: Timestamp, isNew: (Int, Bool) -> Void
    ) {
        guard !ids.isEmpty else { return }
        groups.append(Group(offset: offset, time: time, timeBefore: timeBefore, ids: ids))
        idCount += ids.count
        for (index, id) in ids.enumerated() {
            isNew(index, lastSeen.updateValue(offset, forKey: id) == nil)
        }
        while idCount > limit, firstGroup < groups.count - 1 { forgetOldestGroup() }
    }

    private mutating func forgetOldestGroup() {
        let group = groups[firstGroup]
        for id in group.ids where lastSeen[id] == group.offset { lastSeen[id] = nil }
        idCount -= group.ids.count
        groups[firstGroup].ids = []
        firstGroup += 1
        if firstGroup >= 64, firstGroup * 2 >= groups.count {
            groups.removeFirst(firstGroup)
            firstGroup = 0
        }
    }
}
