// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// Reads the rows of a CSV or TSV file under the header that its first row is.
struct TableReader: RecordReader {
    private let format: DelimitedText
    private let defaultKind: Kind
    private let registers: Bool
    private var header: TableHeader?

    init(_ format: DelimitedText, defaultKind: Kind, registers: Bool) {
        self.format = format
        self.defaultKind = defaultKind
        self.registers = registers
    }

    mutating func read(_ record: Record) throws(CommandFailure) -> RecordOutcome {
        if record.isBlank { return .nothing }
        let valid = String(validating: record.bytes, as: UTF8.self)
        let fields: [String]
        do throws(DelimitedText.Problem) {
            fields = try format.fields(of: valid ?? String(decoding: record.bytes, as: UTF8.self))
        } catch { return .rejected("\(error)") }
        guard let header else {
            self.header = try TableHeader(fields)
            return .nothing
        }
        guard fields.count == header.count else {
            return .rejected("\(fields.count) fields where the header has \(header.count)")
        }
        do throws(EventProblem) {
            let event = try event(header.values(of: fields))
            return .event(event, repaired: valid == nil && event.hasRepairedName)
        } catch { return .rejected(error.reason) }
    }

    /// An empty field counts as none.
    private func event(_ values: [TableHeader.Column: String]) throws(EventProblem) -> ImportedEvent {
        let given = values.filter { !$0.value.isEmpty }
        guard let time = given[.time] else { throw EventProblem(reason: "the time is missing") }
        var event = ImportedEvent(
            subject: try EventField.subject(banner: given[.banner], name: given[.name], registers: registers),
            kind: defaultKind, minute: try EventField.minute(time))
        if let kind = given[.kind] { event.kind = try EventField.kind(kind) }
        if let count = given[.count] { event.count = try EventField.count(count) }
        if let id = given[.id] { event.id = try EventField.id(id) }
        return event
    }
}

extension ImportedEvent {
    /// Its name holds the sign that replaces what is no UTF-8.
    fileprivate var hasRepairedName: Bool {
        if case .name(let name) = subject { return name.unicodeScalars.contains("\u{FFFD}") }
        return false
    }
}
