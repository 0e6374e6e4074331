// SPDX-License-Identifier: Apache-2.0

package import TallyCore

/// What the routes need of the running server.
package protocol CountingService: Sendable {
    /// What of the following it does. The routes ask it for nothing else.
    var roles: Set<ServerRole> { get }

    // MARK: Writing

    /// Validates an event (its time against the window, its kind against the limit, its banner against the directory) and
    /// puts it to the others of its request. Nothing is counted or remembered yet.
    func admit(_ input: EventInput, to admitted: inout AdmittedEvents) throws(EventRejection)

    /// Counts the events together, and returns when they are durable: all or none of those that share a partition.
    /// - Returns: a receipt for each partition that they are in.
    func record(_ admitted: AdmittedEvents) async throws(IngestError) -> [Receipt]

    /// Whether the banners and kinds of another node's chunk may be counted.
    func admit(_ chunk: Chunk) throws(EventRejection) -> AdmittedChunk

    /// Counts a chunk that another node made, once per (node, sequence), and returns when it is durable.
    func append(_ admitted: AdmittedChunk) async throws(IngestError) -> ChunkReceipt

    /// Which chunks of this node were counted.
    func sequences(of node: NodeID) -> SequenceRanges

    // MARK: Reading: what is stored, merged with what is not stored yet

    /// - Returns: sorted by (banner, kind, minute), summed over logs, minutes without a count left out.
    func minuteCounts(in range: RowRange) async throws(StoreError) -> Counted<[MinuteCount]>

    /// - Parameter body: gets the totals of some banners, sorted by (banner, kind), in the order of the banners.
    func forEachTotals(in range: RowRange, _ body: ([Total]) -> Void) async throws(StoreError) -> Freshness

    /// The unique visitors of each banner and day that had any, sorted by (banner, day).
    func visitors(of banners: Set<BannerID>, in days: ClosedRange<Day>) async throws(StoreError) -> [VisitorCount]

    /// What this process itself has counted and not stored yet: for those that answer for it.
    func views(in range: RowRange) -> [LogView]

    /// Of the rows in `views`.
    var layout: Layout { get }

    /// The minutes before it are final, but for backfill.
    var watermark: Minute { get }

    var now: Timestamp { get }

    // MARK: Banners

    func banner(_ id: BannerID) -> Banner?
    /// Ascending by id, beginning behind `after`.
    func banners(after: BannerID?, limit: Int) -> [Banner]
    var bannerCount: Int { get }
    /// Registers the banner or replaces what was registered; durable on return.
    func register(_ banner: Banner) async throws(RegistrationError) -> Banner
    /// The banner of each name, in this order; where there is none, a new one.
    func register(names: [String]) async throws(RegistrationError) -> [Banner]
    /// - Returns: false when nobody had registered it.
    func unregister(_ id: BannerID) async throws(RegistrationError) -> Bool

    // MARK: Health

    /// For everything that the process does.
    var readiness: Readiness { get }
    /// - Parameter role: one that the process has.
    func readiness(of role: ServerRole) -> Readiness
    var status: SystemStatus { get }

    // MARK: Watching

    /// nil where nobody is told what is counted.
    var watching: LiveHub? { get }
}

extension CountingService {
    package var roles: Set<ServerRole> { .all }
}
