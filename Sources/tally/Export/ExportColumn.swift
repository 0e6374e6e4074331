// SPDX-License-Identifier: Apache-2.0

/// A column of an export: what it holds, and what it is called.
struct ExportColumn: Equatable, Sendable {
    enum Source: String, CaseIterable, Sendable {
        case minute
        case banner
        case name
        case kind
        case count
    }

    let source: Source
    let header: String

    static let standard: [ExportColumn] = Source.allCases.map { ExportColumn(source: $0, header: $0.rawValue) }

    /// What is allowed, for help and errors.
    static let allowed = "minute, banner, name, kind and count, each once, separated by commas; name=path renames one"

    /// Reads `minute,name=path,count`.
    /// - Throws: `.usage` for a column that nobody knows, for one that comes twice, and for no columns.
    static func list(from text: String) throws(CommandFailure) -> [ExportColumn] {
        var columns: [ExportColumn] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let column = try ExportColumn(part)
            if columns.contains(where: { $0.source == column.source || $0.header == column.header }) {
                throw .usage(["--columns: “\(PlainText.of(part))” comes twice; allowed: \(allowed)"])
            }
            columns.append(column)
        }
        return columns
    }

    init(source: Source, header: String) {
        self.source = source
        self.header = header
    }

    private init(_ text: some StringProtocol) throws(CommandFailure) {
        let parts = String(text).split(separator: "=" as Character, maxSplits: 1, omittingEmptySubsequences: false)
            .map(String.init)
        guard let source = Source(rawValue: parts[0]), parts.last != "" else {
            throw .usage(["--columns: “\(PlainText.of(text))” is no column; allowed: \(ExportColumn.allowed)"])
        }
        self.init(source: source, header: parts.count == 2 ? parts[1] : parts[0])
    }
}
