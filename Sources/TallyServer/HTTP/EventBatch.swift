// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// The events of one body: NDJSON, one object a line, or one JSON array of objects.
struct EventBatch {
    typealias Admission = (EventInput, inout AdmittedEvents) throws(EventRejection) -> Void

    /// Where an event stands in the body.
    enum Place: Equatable {
        /// From 1.
        case line(Int)
        /// From 0.
        case index(Int)
    }

    struct Rejected: Equatable {
        let place: Place
        let error: String
    }

    /// As many bad events are named; the others are counted.
    static let mostNamed = 100

    private(set) var accepted: AdmittedEvents
    /// The first `mostNamed`.
    private(set) var rejected: [Rejected] = []
    /// All rejected events, by the label of the metric.
    private(set) var refusals: [String: Int] = [:]

    var rejectedCount: Int { refusals.values.reduce(0, +) }

    /// - Throws: when nothing can be said about single events: an empty body, an array that is not JSON.
    init(reading body: [UInt8], backfill: Bool, admit: Admission) throws {
        accepted = AdmittedEvents(backfill: backfill)
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]  // A byte order mark, as some editors write.
        let text = body.starts(with: mark) ? body.dropFirst(mark.count) : body[...]
        guard let first = text.first(where: { !EventBatch.isSpace($0) }) else {
            throw BadRequest(
                detail: "the body is empty; send one object a line, or an array of them", reason: "empty_body")
        }
        if first == UInt8(ascii: "[") {
            try readArray(text, admit: admit)
        } else {
            readLines(text, admit: admit)
        }
    }

    private mutating func readArray(_ text: ArraySlice<UInt8>, admit: Admission) throws {
        var reader = JSONReader(text)
        var index = 0
        try reader.beginArray()
        while try reader.hasElement(isFirst: index == 0) {
            let value = try reader.readValue(depth: 1)
            add(at: .index(index), admit: admit) { value }
            index += 1
        }
        try reader.readEnd()
    }

    private mutating func readLines(_ text: ArraySlice<UInt8>, admit: Admission) {
        var number = 0
        var rest = text
        while !rest.isEmpty {
            let end = rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.endIndex
            let line = rest[..<end]
            rest = rest[end...].dropFirst()
            number += 1
            if line.allSatisfy(EventBatch.isSpace) { continue }
            add(at: .line(number), admit: admit) { () throws(JSONError) in try JSONReader.value(of: line) }
        }
    }

    private mutating func add(at place: Place, admit: Admission, value: () throws(JSONError) -> JSONValue) {
        do {
            try admit(EventInput(json: try value()), &accepted)
        } catch let error as EventRejection {
            reject(place, "\(error)", error.reason)
        } catch let error as BadRequest {
            reject(place, error.detail, error.reason)
        } catch {
            reject(place, "\(error)", "bad_json")
        }
    }

    private mutating func reject(_ place: Place, _ error: String, _ reason: String) {
        refusals[reason, default: 0] += 1
        if rejected.count < EventBatch.mostNamed { rejected.append(Rejected(place: place, error: error)) }
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0A }
}

extension EventBatch.Rejected {
    func write(to json: inout JSONWriter) {
        switch place {
        case .line(let number): json.member("line", number)
        case .index(let index): json.member("index", index)
        }
        json.member("error", error)
    }
}
