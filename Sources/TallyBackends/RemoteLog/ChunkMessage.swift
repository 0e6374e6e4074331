// SPDX-License-Identifier: Apache-2.0

package import TallyCore

/// One chunk as a message of a remote log: its bytes are the chunk's encoding, its name is the key or the message id.
package enum ChunkMessage {
    case chunk(Chunk)
    /// Not one that may be counted here. It is passed over: others may write to a topic too.
    case poison(String)
    /// Of a tally that is newer than this one: to pass over it would lose it.
    case newer(String)

    /// `NODE:SEQUENCE`, the same whenever the chunk is sent: where a broker leaves out what it had already, or keeps only
    /// the last of a key, nothing else can be lost.
    package static func name(of chunk: Chunk) -> String { "\(chunk.node):\(chunk.sequence)" }

    /// - Parameters:
    ///   - name: the message's.
    ///   - partition: where it was found; nil when chunks may belong anywhere.
    package init(_ bytes: [UInt8], name: String, in partition: Int?) {
        guard bytes.count <= Limits.chunkBytes else {
            self = .poison("\(bytes.count) bytes are too many for a chunk")
            return
        }
        do throws(ChunkDecodingError) {
            let chunk = try Chunk(decoding: bytes[...])
            if let partition, chunk.node.partition != partition {
                self = .poison("the chunk belongs to partition \(chunk.node.partition)")
            } else {
                self = .chunk(chunk)
            }
        } catch {
            let isNewer = if case .unknownVersion = error { ChunkMessage.isName(name) } else { false }
            self = isNewer ? .newer(error.description) : .poison(error.description)
        }
    }

    private static func isName(_ text: String) -> Bool {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        return parts.count == 2 && NodeID(hex: parts[0]) != nil && UInt64(parts[1]) != nil
    }
}
