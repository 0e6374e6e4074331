// SPDX-License-Identifier: Apache-2.0

import NIOCore
import TallyCore

/// Writes server-sent events, as the HTML standard has them.
enum LiveText {
    static let heartbeat = ByteBuffer(string: ": nothing happened\n\n")

    /// A client that is cut off comes back after a second.
    static let greeting = ByteBuffer(string: "retry: 1000\n\n")

    static func changes(_ changes: LiveChanges, of log: LogID) -> ByteBuffer {
        let counts = changes.rows.flatMap { row in
            row.minuteCounts.filter { $0.count > 0 }.map {
                MinuteCount(banner: row.key.banner, kind: row.key.kind, minute: $0.minute, count: $0.count)
            }
        }
        var json = JSONWriter()
        json.object { write(changes.sums, counts, &$0) }
        return event("changes", LivePosition(log: log, offset: changes.upTo), json.bytes)
    }

    static func state(_ state: LiveState, of log: LogID) -> ByteBuffer {
        var json = JSONWriter()
        json.object { json in
            json.member("from", state.from)
            write(state.sums, state.counts, &json)
        }
        return event("state", LivePosition(log: log, offset: state.upTo), json.bytes)
    }

    /// What is invalid of them stands apart, since who doesn't know of it would take it for counts of their own.
    private static func write(_ sums: [LiveChanges.Sum], _ counts: [MinuteCount], _ json: inout JSONWriter) {
        json.name("sums")
        json.array { json in for sum in sums where sum.kind.reason == nil { write(sum, &json) } }
        json.name("minutes")
        json.array { json in for count in counts where count.kind.reason == nil { write(count, &json) } }
        let invalidSums = sums.filter { $0.kind.reason != nil }
        let invalid = counts.filter { $0.kind.reason != nil }
        if !invalidSums.isEmpty {
            json.name("invalidSums")
            json.array { json in for sum in invalidSums { write(sum, &json) } }
        }
        if !invalid.isEmpty {
            json.name("invalidMinutes")
            json.array { json in for count in invalid { write(count, &json) } }
        }
    }

    private static func write(_ sum: LiveChanges.Sum, _ json: inout JSONWriter) {
        json.object { json in
            write(sum.kind, &json)
            json.member("ts", sum.minute)
            json.member("v", sum.count)
        }
    }

    private static func write(_ count: MinuteCount, _ json: inout JSONWriter) {
        json.object { json in
            json.member("banner", count.banner)
            write(count.kind, &json)
            json.member("ts", count.minute)
            json.member("v", count.count)
        }
    }

    private static func write(_ kind: Kind, _ json: inout JSONWriter) {
        json.member("kind", kind.base.name)
        if let reason = kind.reason { json.member("reason", reason.rawValue) }
    }

    private static func event(_ name: String, _ position: LivePosition, _ data: [UInt8]) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(data.count + 128)
        buffer.writeString("id: \(position)\nevent: \(name)\ndata: ")
        buffer.writeBytes(data)
        buffer.writeString("\n\n")
        return buffer
    }
}
