// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// The one log of a server with a journal.
struct OwnCounts: UnflushedSource {
    let log: LogID
    let aggregation: Aggregation

    func unflushed(in range: RowRange) async -> UnflushedAnswer {
        UnflushedAnswer(views: [aggregation.view(in: range, of: log)])
    }

    func held(in range: RowRange) -> [StoredRow]? {
        aggregation.held(in: range)?.map { StoredRow(log: log, row: $0) }
    }

    func sightings(of banners: Set<BannerID>, in days: ClosedRange<Day>) -> [Sighting] {
        aggregation.sightings(of: banners, in: days)
    }
}
