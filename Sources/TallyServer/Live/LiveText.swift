// SPDX-License-Identifier: Apache-2.0

import NIOCore
import TallyCore

/// Writes server-sent events, as the HTML standard has them.
enum LiveText {
    static let heartbeat = ByteBuffer(string: ": nothing happened\n\n")

    /// A client that is cut off comes back after a second.
    static let greeting = ByteBuffer(string: "retry: 1000\n\n")

    static func changes(_ changes: LiveChanges, of log: LogID) -> ByteBuffer {
        var json = JSONWriter()
        json.object { json in
            json.name("sums")
            json.array { json in for sum in changes.sums { write(sum, &json) } }
            json.name("minutes")
            json.array { json in
                for row in changes.rows {
                    for (minute, count) in row.minuteCounts where count > 0 {
                        write(
                            MinuteCount(banner: row.key.banner, kind: row.key.kind, minute: minute, count: count), &json
                        )
                    }
                }
            }
        }
        return event("changes", LivePosition(log: log, offset: changes.upTo), json.bytes)
    }

    static func state(_ state: LiveState, of log: LogID) -> ByteBuffer {
        var json = JSONWriter()
        json.object { json in
            json.member("from", state.from)
            json.name("sums")
            json.array { json in for sum in state.sums { write(sum, &json) } }
            json.name("minutes")
            json.array { json in for count in state.counts { write(count, &json) } }
        }
        return event("state", LivePosition(log: log, offset: state.upTo), json.bytes)
    }

    private static func write(_ sum: LiveChanges.Sum, _ json: inout JSONWriter) {
        json.object { json in
            json.member("kind", sum.kind.name)
            json.member("ts", sum.minute)
            json.member("v", sum.count)
        }
    }

    private static func write(_ count: MinuteCount, _ json: inout JSONWriter) {
        json.object { json in
            json.member("banner", count.banner.value)
            json.member("kind", count.kind.name)
            json.member("ts", count.minute)
            json.member("v", count.count)
        }
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
