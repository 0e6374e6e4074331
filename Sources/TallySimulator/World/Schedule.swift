// SPDX-License-Identifier: Apache-2.0

/// What is to happen, in the order of its time; what has the same time happens in the order in which it was added.
struct Schedule {
    private struct Entry {
        let time: Int64
        let serial: Int
        /// Where the event is: it stays there while the heap is put in order.
        let place: Int

        func comesBefore(_ other: Entry) -> Bool {
            time != other.time ? time < other.time : serial < other.serial
        }
    }

    /// A binary heap.
    private var entries: [Entry] = []
    private var events: [Event?] = []
    private var freePlaces: [Int] = []
    private var serial = 0

    /// - Parameter time: in milliseconds since the world began.
    mutating func add(_ event: Event, at time: Int64) {
        serial += 1
        let entry = Entry(time: time, serial: serial, place: place(for: event))
        entries.append(entry)
        var child = entries.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard entry.comesBefore(entries[parent]) else { break }
            entries[child] = entries[parent]
            child = parent
        }
        entries[child] = entry
    }

    private mutating func place(for event: Event) -> Int {
        if let place = freePlaces.popLast() {
            events[place] = event
            return place
        }
        events.append(event)
        return events.count - 1
    }

    mutating func removeFirst() -> (time: Int64, event: Event)? {
        guard let first = entries.first, let event = events[first.place] else { return nil }
        events[first.place] = nil
        freePlaces.append(first.place)
        let last = entries.removeLast()
        if !entries.isEmpty { sink(last) }
        return (first.time, event)
    }

    /// Puts an entry at the top, and then where it belongs.
    private mutating func sink(_ entry: Entry) {
        var parent = 0
        while true {
            var child = 2 * parent + 1
            guard child < entries.count else { break }
            if child + 1 < entries.count, entries[child + 1].comesBefore(entries[child]) { child += 1 }
            guard entries[child].comesBefore(entry) else { break }
            entries[parent] = entries[child]
            parent = child
        }
        entries[parent] = entry
    }

    /// Takes out what no longer has anybody to happen to.
    mutating func removeAll(where isObsolete: (Event) -> Bool) {
        var rest = Schedule()
        while let (time, event) = removeFirst() {
            if !isObsolete(event) { rest.add(event, at: time) }
        }
        self = rest
    }
}
