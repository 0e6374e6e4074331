// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// Reads lines of an access log: the time from its brackets, the banner by the user's expression.
struct AccessLogReader: RecordReader {
    let matcher: LineMatcher
    let kind: Kind
    let registers: Bool

    func read(_ record: Record) -> RecordOutcome {
        if record.isBlank { return .nothing }
        switch AccessLogTime.find(in: record.bytes) {
        case .missing: return .rejected("there is no time like \(AccessLogTime.example)")
        case .impossible(let text): return .rejected("[\(text)] is no time between 1970 and 9999")
        case .minute(let minute): return read(record, minute)
        }
    }

    private func read(_ record: Record, _ minute: Minute) -> RecordOutcome {
        let valid = String(validating: record.bytes, as: UTF8.self)
        guard let group = matcher.group(in: valid ?? String(decoding: record.bytes, as: UTF8.self)) else {
            return .unmatched
        }
        do throws(EventProblem) {
            let subject = registers ? try EventField.name(group) : try EventField.banner(group)
            let isRepaired = valid == nil && group.unicodeScalars.contains("\u{FFFD}")
            return .event(ImportedEvent(subject: subject, kind: kind, minute: minute), repaired: isRepaired)
        } catch { return .rejected(error.reason) }
    }
}
