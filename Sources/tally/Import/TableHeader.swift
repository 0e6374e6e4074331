// SPDX-License-Identifier: Apache-2.0

/// Which column of a table holds what.
struct TableHeader: Equatable, Sendable {
    enum Column: String, CaseIterable, Sendable {
        case banner
        case name
        case kind
        case time
        case count
        case id
    }

    /// What each column may be called.
    private static let spellings: [(name: String, column: Column)] = [
        ("banner", .banner), ("name", .name), ("kind", .kind), ("ts", .time), ("minute", .time), ("n", .count),
        ("count", .count), ("id", .id),
    ]

    private let columns: [Column]

    /// - Throws: `.failed` when it doesn't say which banner and when, names a column twice, or one that nobody knows.
    init(_ fields: [String]) throws(CommandFailure) {
        var columns: [Column] = []
        for field in fields {
            guard let column = TableHeader.spellings.first(where: { $0.name == field })?.column else {
                throw TableHeader.failure("the column “\(PlainText.of(field, upTo: 60))” is unknown")
            }
            if columns.contains(column) { throw TableHeader.failure("two columns mean the same: \(column.rawValue)") }
            columns.append(column)
        }
        guard columns.contains(.banner) || columns.contains(.name) else {
            throw TableHeader.failure("there is neither a column “banner” nor “name”")
        }
        guard columns.contains(.time) else { throw TableHeader.failure("there is neither a column “ts” nor “minute”") }
        self.columns = columns
    }

    var count: Int { columns.count }

    /// The fields of a row by their meaning; there are as many as columns.
    func values(of fields: [String]) -> [Column: String] {
        Dictionary(uniqueKeysWithValues: zip(columns, fields))
    }

    /// Whether the line names a banner and a time, separated as this format does.
    static func looksLikeHeader(_ line: some StringProtocol, _ format: DelimitedText) -> Bool {
        guard let fields = try? format.fields(of: String(line)), fields.count >= 2 else { return false }
        let columns = fields.compactMap { field in spellings.first { $0.name == field }?.column }
        return columns.contains(.banner) || columns.contains(.name) || columns.contains(.time)
    }

    private static func failure(_ problem: String) -> CommandFailure {
        let names = spellings.map(\.name).joined(separator: ", ")
        return .failed("the first row must name the columns: \(problem); allowed: \(names)")
    }
}
