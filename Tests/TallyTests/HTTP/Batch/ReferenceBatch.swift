// SPDX-License-Identifier: Apache-2.0

import TallyCore

@testable import TallyServer

/// What the events of a body are, read in the plainest way: the whole body at once, each event by `JSONReader`, none summed.
struct ReferenceBatch {
    private(set) var accepted: AdmittedEvents
    private(set) var rejected: [EventBatch.Rejected] = []
    private(set) var refusals: [String: Int] = [:]
    private let service: any CountingService

    init(reading body: [UInt8], backfill: Bool, service: any CountingService) throws {
        accepted = AdmittedEvents(backfill: backfill)
        self.service = service
        let text = body.starts(with: [0xEF, 0xBB, 0xBF]) ? body.dropFirst(3) : body[...]
        guard let first = text.first(where: { !Self.isSpace($0) }) else {
            throw BadRequest(
                detail: "the body is empty; send one object a line, or an array of them", reason: "empty_body")
        }
        if first == UInt8(ascii: "[") {
            try readArray(text)
        } else {
            for (index, line) in text.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated()
            where !line.allSatisfy(Self.isSpace) {
                add(at: .line(index + 1)) { () throws(JSONError) in try JSONReader.value(of: line) }
            }
        }
    }

    private mutating func readArray(_ text: ArraySlice<UInt8>) throws {
        var reader = JSONReader(text)
        var index = 0
        try reader.beginArray()
        while try reader.hasElement(isFirst: index == 0) {
            let value = try reader.readValue(depth: 1)
            add(at: .index(index)) { value }
            index += 1
        }
        try reader.readEnd()
    }

    private mutating func add(at place: EventBatch.Place, value: () throws(JSONError) -> JSONValue) {
        do {
            try service.admit(EventInput(json: try value()), to: &accepted)
        } catch let error as EventRejection {
            reject(place, "\(error)", error.reason)
        } catch let error as BadRequest {
            reject(place, error.detail, error.reason)
        } catch {
            reject(place, "\(error)", "bad_json")
        }
    }

    private mutating func reject(_ place: EventBatch.Place, _ error: String, _ reason: String) {
        refusals[reason, default: 0] += 1
        if rejected.count < EventBatch.mostNamed { rejected.append(EventBatch.Rejected(place: place, error: error)) }
    }

    private static func isSpace(_ byte: UInt8) -> Bool { " \t\r\n".utf8.contains(byte) }
}

extension EventBatch {
    /// Reads a body that arrives in parts which end at these places.
    init(
        reading body: [UInt8], cutAt places: [Int] = [], backfill: Bool, service: any CountingService
    ) throws {
        var reader = BatchReader(backfill: backfill, service: service)
        var start = 0
        for end in places + [body.count] {
            body[start..<end].withUnsafeBytes { reader.read($0) }
            start = end
        }
        self = try reader.finish()
    }
}

/// What became of a body, in a form that two readers agree on if they mean the same.
struct BatchOutcome: Equatable, CustomStringConvertible {
    var count = 0
    var sums: [CountedEvent: Int64] = [:]
    var identified: [CountedEvent] = []
    var rejected: [EventBatch.Rejected] = []
    var refusals: [String: Int] = [:]
    /// The body counts nothing.
    var problem: String?

    init(_ read: () throws -> (AdmittedEvents, [EventBatch.Rejected], [String: Int])) {
        do {
            let accepted: AdmittedEvents
            (accepted, rejected, refusals) = try read()
            count = accepted.count
            for event in accepted.events {
                if event.id != nil {
                    identified.append(event)
                } else {
                    let key = CountedEvent(banner: event.banner, kind: event.kind, minute: event.minute, count: 1)
                    sums[key, default: 0] += event.count
                }
            }
        } catch {
            problem = "\(error)"
        }
    }

    init(_ batch: @autoclosure () throws -> EventBatch) {
        self.init {
            let batch = try batch()
            return (batch.accepted, batch.rejected, batch.refusals)
        }
    }

    init(_ batch: @autoclosure () throws -> ReferenceBatch) {
        self.init {
            let batch = try batch()
            return (batch.accepted, batch.rejected, batch.refusals)
        }
    }

    var description: String {
        problem ?? "\(count) accepted: \(sums), \(identified); rejected: \(rejected), \(refusals)"
    }
}
