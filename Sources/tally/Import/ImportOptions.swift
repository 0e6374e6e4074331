// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// Everything besides the file that decides what an import counts.
struct ImportOptions: Equatable, Sendable {
    var format: ImportFormat
    /// The regular expression; for logs alone.
    var match: String?
    /// Names become banners.
    var registers: Bool
    /// Of the events that don't say their kind.
    var kind: Kind

    /// - Throws: `.usage` when format and expression don't fit.
    func makeReader() throws(CommandFailure) -> any RecordReader {
        if format != .log, match != nil {
            throw .usage(["--match is for access logs; a file of format \(format.rawValue) names its banners itself"])
        }
        switch format {
        case .log:
            guard let match else {
                throw .usage([
                    "an access log needs --match with the expression that finds the banner in a line; "
                        + "if the file is no access log, --format says what it is"
                ])
            }
            return AccessLogReader(matcher: try LineMatcher(match), kind: kind, registers: registers)
        case .ndjson: return EventLineReader(defaultKind: kind, registers: registers)
        case .csv: return TableReader(.csv, defaultKind: kind, registers: registers)
        case .tsv: return TableReader(.tsv, defaultKind: kind, registers: registers)
        }
    }
}
