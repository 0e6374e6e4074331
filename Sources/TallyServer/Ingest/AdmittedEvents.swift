// SPDX-License-Identifier: Apache-2.0

package import TallyCore

/// The events of one request that were let in. Nothing of them is remembered before they are recorded, so that a request
/// that is refused after all leaves nothing behind.
package struct AdmittedEvents: Sendable {
    /// They may change final minutes.
    package let backfill: Bool
    package private(set) var events: [CountedEvent] = []
    /// How many events these are: some may be summed in one entry of `events`.
    package private(set) var count = 0
    /// What nobody knew when it was let in.
    var newcomers = Newcomers()

    package init(backfill: Bool = false) { self.backfill = backfill }

    mutating func append(_ event: CountedEvent) {
        events.append(event)
        count += 1
    }

    /// Sums an event that is like one that was let in: of the same banner, kind and minute, both without an id.
    /// - Returns: false when the entry has no room for it.
    mutating func add(_ number: Int64, toEntry index: Int) -> Bool {
        guard events[index].count + number <= Limits.eventCount else { return false }
        events[index].count += number
        count += 1
        return true
    }
}

/// A chunk of another node that was let in; nothing of it is remembered either before it is appended.
package struct AdmittedChunk: Sendable {
    package let chunk: Chunk
    let newcomers: Newcomers
}

/// Banners and kinds that come for the first time, and the chunk of another node that they come in.
struct Newcomers: Sendable {
    var banners: Set<BannerID> = []
    var kinds: Set<Kind> = []
    var chunk: ChunkName?

    var isEmpty: Bool { banners.isEmpty && kinds.isEmpty && chunk == nil }
}
