// SPDX-License-Identifier: Apache-2.0

/// Where the rows of the banners are that somebody watches: a million rows are not looked through every second, and a
/// deployment that nobody watches pays nothing.
struct WatchedRows: Sendable {
    /// By banner, ascending.
    private var places: [Int64: [Int]] = [:]

    /// Knows the rows of these banners from now on.
    mutating func watch(_ banners: Set<BannerID>, rows: RowTable) {
        let new = banners.filter { places[$0.value] == nil }
        if new.isEmpty { return }
        for banner in new { places[banner.value] = [] }
        let values = Set(new.map(\.value))
        for (index, entry) in rows.entries.enumerated() where values.contains(entry.key.banner) {
            places[entry.key.banner]?.append(index)
        }
    }

    /// A row has come into memory.
    mutating func note(_ banner: Int64, at index: Int) {
        if places.isEmpty { return }
        places[banner]?.append(index)
    }

    /// Rows have moved. Who is still watched is looked for again, and who is not, no more.
    mutating func forget() { places = [:] }

    /// In the order of the rows.
    func places(of banners: Set<BannerID>) -> [Int] { banners.flatMap { places[$0.value] ?? [] }.sorted() }
}
