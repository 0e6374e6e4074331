// SPDX-License-Identifier: Apache-2.0

package import TallyCore

/// Where the live stream reads what it tells.
package protocol LiveSource: Sendable {
    var log: LogID { get }
    /// The last chunk that was counted.
    var position: LogOffset { get }

    /// What changed behind the offset: of these banners each row, of all together the sums, where they are known. From
    /// memory, since it is asked every second.
    func changes(after offset: LogOffset, of banners: Set<BannerID>) -> LiveChanges

    /// Makes sure that `changes` knows what the topic needs.
    func prepare(_ topic: LiveTopic) async throws(StoreError)

    /// The counts of the last hour.
    func state(of topic: LiveTopic) async throws(StoreError) -> LiveState
}

/// The counts of the last hour, up to an offset at least.
package struct LiveState: Equatable, Sendable {
    /// The first minute that it tells of.
    package var from: Minute
    package var upTo: LogOffset
    package var sums: [LiveChanges.Sum]
    package var counts: [MinuteCount]

    package init(from: Minute, upTo: LogOffset, sums: [LiveChanges.Sum] = [], counts: [MinuteCount] = []) {
        self.from = from
        self.upTo = upTo
        self.sums = sums
        self.counts = counts
    }
}
