// SPDX-License-Identifier: Apache-2.0

package import ServiceLifecycle
package import TallyCore

/// The part of a process with a remote log that counts it, or answers what was counted, or both.
package protocol CountReading: Sendable {
    /// In the order of their start; they stop in reverse.
    var services: [any Service] { get }

    func minuteCounts(in range: RowRange) async throws(StoreError) -> Counted<[MinuteCount]>
    /// As `CountingService` says.
    func forEachTotals(in range: RowRange, _ body: ([Total]) -> Void) async throws(StoreError) -> Freshness
    func visitors(of banners: Set<BannerID>, in days: ClosedRange<Day>) async throws(StoreError) -> [VisitorCount]
    /// What this process itself has counted and not stored yet.
    func views(in range: RowRange) -> [LogView]
    var layout: Layout { get }
    /// Which chunks of this node were counted.
    func sequences(of node: NodeID) -> SequenceRanges
    /// The minutes before it are final, but for backfill.
    var watermark: Minute { get }
    /// nil where nobody is told what is counted.
    var watching: LiveHub? { get }

    /// Adds what it knows.
    func complete(_ status: inout SystemStatus)
    /// Whether answers hold what the log held when the process started.
    var readiness: Readiness { get }
    func report(to registry: MetricsRegistry)
}
