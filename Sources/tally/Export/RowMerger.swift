// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// What was counted, with the name of its banner.
struct ExportPoint: Equatable, Sendable {
    var minute: Minute
    var banner: BannerID
    var name: String?
    var kind: String
    var count: Int64
}

/// Makes rows of points: those that look alike in the chosen columns are one row, with the sum of their counts.
struct RowMerger {
    private struct Key: Hashable {
        var minute: Minute?
        var fields: [ExportRow.Field]
    }

    private let sources: [ExportColumn.Source]
    private var sums: [Key: Int64] = [:]

    init(columns: [ExportColumn]) { sources = columns.map(\.source) }

    /// How many rows there are so far.
    var count: Int { sums.count }

    mutating func add(_ point: ExportPoint) {
        let key = Key(minute: sources.contains(.minute) ? point.minute : nil, fields: fields(of: point))
        let (sum, overflow) = sums[key, default: 0].addingReportingOverflow(point.count)
        sums[key] = overflow ? .max : sum
    }

    /// All rows in their order; then there are none any more.
    mutating func takeRows() -> [ExportRow] {
        defer { sums = [:] }
        return sums.map { ExportRow(minute: $0.key.minute, key: $0.key.fields, count: $0.value) }.sorted()
    }

    private func fields(of point: ExportPoint) -> [ExportRow.Field] {
        sources.compactMap { source in
            switch source {
            case .banner: .number(point.banner.value)
            case .name: point.name.map { .text(ExactText($0)) } ?? ExportRow.Field.none
            case .kind: .text(ExactText(point.kind))
            case .minute, .count: nil
            }
        }
    }
}
