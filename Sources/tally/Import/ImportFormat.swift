// SPDX-License-Identifier: Apache-2.0

/// How the events stand in a file.
enum ImportFormat: String, CaseIterable, Sendable {
    /// Access logs in the common or combined format.
    case log
    /// An event a line, as `POST /v1/events` takes them.
    case ndjson
    case csv
    case tsv

    /// What a file looks like whose first line that isn't blank is this: the content decides, never the file's name.
    static func detected(from line: String) -> ImportFormat {
        let text = line.trimmingPrefix(while: \.isWhitespace)
        if text.hasPrefix("{") { return .ndjson }
        if TableHeader.looksLikeHeader(text, .tsv) { return .tsv }
        if TableHeader.looksLikeHeader(text, .csv) { return .csv }
        return .log
    }
}
