// SPDX-License-Identifier: Apache-2.0

import TallyCore
import TallyServer

extension CountingService {
    /// Sorted by (banner, kind).
    func totals(in range: RowRange) async throws(StoreError) -> Counted<[Total]> {
        var totals: [Total] = []
        let freshness = try await forEachTotals(in: range) { totals += $0 }
        return Counted(totals, freshness)
    }
}

extension CountReading {
    /// Sorted by (banner, kind).
    func totals(in range: RowRange) async throws(StoreError) -> Counted<[Total]> {
        var totals: [Total] = []
        let freshness = try await forEachTotals(in: range) { totals += $0 }
        return Counted(totals, freshness)
    }
}
