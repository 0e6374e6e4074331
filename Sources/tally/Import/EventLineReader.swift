// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import TallyCore

/// Reads NDJSON: lines like `{"banner":42,"kind":"click","ts":"2015-05-17T10:05:00Z","n":1,"id":"…"}`, and what
/// `tally export --format ndjson` writes (`minute` for `ts`, `count` for `n`, `name`).
///
/// The time is required: "now" would be another one each time the file is imported.
struct EventLineReader: RecordReader {
    let defaultKind: Kind
    let registers: Bool
    private let decoder = JSONDecoder()

    init(defaultKind: Kind, registers: Bool) {
        self.defaultKind = defaultKind
        self.registers = registers
    }

    func read(_ record: Record) -> RecordOutcome {
        if record.isBlank { return .nothing }
        guard let valid = String(validating: record.bytes, as: UTF8.self) else {
            return .rejected("it is no valid UTF-8, so it is no JSON")
        }
        do {
            let line = try decoder.decode(EventLine.self, from: Data(valid.utf8))
            return .event(try event(line))
        } catch let problem as EventProblem {
            return .rejected(problem.reason)
        } catch {
            return .rejected("it is no JSON object")
        }
    }

    private func event(_ line: EventLine) throws(EventProblem) -> ImportedEvent {
        guard let minute = line.minute else { throw EventProblem(reason: "“ts” is missing") }
        let banner = line.banner.map { String($0) }
        return ImportedEvent(
            subject: try EventField.subject(banner: banner, name: line.name, registers: registers),
            kind: line.kind ?? defaultKind, minute: minute, count: line.count ?? 1, id: line.id)
    }
}

/// The object of one line, each field checked.
private struct EventLine: Decodable {
    var banner: Int64?
    var name: String?
    var kind: Kind?
    var minute: Minute?
    var count: Int64?
    var id: String?

    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        for key in container.allKeys where try !container.decodeNil(forKey: key) { try read(key, in: container) }
    }

    private mutating func read(_ key: Key, in container: KeyedDecodingContainer<Key>) throws {
        func integer() throws -> Int64 {
            guard let number = try? container.decode(Int64.self, forKey: key) else { throw wrong("a whole number") }
            return number
        }
        func text() throws -> String {
            guard let text = try? container.decode(String.self, forKey: key) else { throw wrong("a text") }
            return text
        }
        func wrong(_ allowed: String) -> EventProblem {
            EventProblem(reason: "“\(key.stringValue)” must be \(allowed)")
        }
        switch key.stringValue {
        case "banner": banner = try integer()
        case "name": name = try text()
        case "kind": kind = try EventField.kind(try text())
        case "ts", "minute":
            let number = try? container.decode(Int64.self, forKey: key)
            minute = try number.map { try EventField.minute($0) } ?? EventField.minute(try text())
        case "n", "count": count = try EventField.count(try integer())
        case "id": id = try EventField.id(try text())
        default:
            let name = PlainText.of(key.stringValue, upTo: 60)
            throw EventProblem(reason: "“\(name)” is unknown; allowed: banner, name, kind, ts, minute, n, count, id")
        }
    }
}
