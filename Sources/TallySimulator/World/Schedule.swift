// SPDX-License-Identifier: Apache-2.0

/// What is to happen, in the order of its time; what has the same time happens in the order in which it was added.
struct Schedule {
    private struct Entry {
        let time: Int64
        let serial: Int
        let event: Event

        func comesBefore(_ other: Entry) -> Bool {
            time != other.time ? time < other.time : serial < other.serial
        }
    }

    /// A binary heap.
    private var entries: [Entry] = []
    private var serial = 0

    /// - Parameter time: in milliseconds since the world began.
    mutating func add(_ event: Event, at time: Int64) {
        serial += 1
        entries.append(Entry(time: time, serial: serial, event: event))
        var child = entries.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard entries[child].comesBefore(entries[parent]) else { return }
            entries.swapAt(child, parent)
            child = parent
        }
    }

    mutating func removeFirst() -> (time: Int64, event: Event)? {
        guard let first = entries.first else { return nil }
        entries.swapAt(0, entries.count - 1)
        entries.removeLast()
        var parent = 0
        while true {
            let (left, right) = (2 * parent + 1, 2 * parent + 2)
            var least = parent
            if left < entries.count, entries[left].comesBefore(entries[least]) { least = left }
            if right < entries.count, entries[right].comesBefore(entries[least]) { least = right }
            if least == parent { break }
            entries.swapAt(parent, least)
            parent = least
        }
        return (first.time, first.event)
    }

    /// Takes out what no longer has anybody to happen to.
    mutating func removeAll(where isObsolete: (Event) -> Bool) {
        let kept = entries.filter { !isObsolete($0.event) }.sorted { $0.comesBefore($1) }
        entries = kept
    }
}
