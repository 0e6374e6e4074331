// SPDX-License-Identifier: Apache-2.0

package import TallyCore

/// The events of one request that were let in. Nothing of them is remembered before they are recorded, so that a request
/// that is refused after all leaves nothing behind.
package struct AdmittedEvents: Sendable {
    /// They may change final minutes.
    package let backfill: Bool
    package internal(set) var events: [CountedEvent] = []
    /// What nobody knew when it was let in.
    var newcomers = Newcomers()

    package init(backfill: Bool = false) { self.backfill = backfill }
}

/// A chunk of another node that was let in; nothing of it is remembered either before it is appended.
package struct AdmittedChunk: Sendable {
    package let chunk: Chunk
    let newcomers: Newcomers
}

/// Banners and kinds that come for the first time.
struct Newcomers: Sendable {
    var banners: Set<BannerID> = []
    var kinds: Set<Kind> = []

    var isEmpty: Bool { banners.isEmpty && kinds.isEmpty }
}
