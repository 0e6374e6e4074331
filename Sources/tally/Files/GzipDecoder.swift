// SPDX-License-Identifier: Apache-2.0

import CZlib

/// Unpacks gzip (RFC 1952) piece by piece: one member or several, as `cat a.gz b.gz` makes them. Zero bytes behind the
/// last member are padding.
final class GzipDecoder {
    /// zlib keeps a pointer to it, so it must not move.
    private let stream: UnsafeMutablePointer<z_stream>
    /// A member began and did not end yet.
    private var isInsideMember = false
    private var hasMember = false
    private var isPadding = false

    enum Problem: Error, Equatable {
        case truncated
        case damaged(String)
    }

    init() {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // 15 bits of window, and 16 for "gzip alone".
        let result = inflateInit2_(stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        precondition(result == Z_OK, "zlib accepts its own version and parameters")
    }

    deinit {
        inflateEnd(stream)
        stream.deinitialize(count: 1)
        stream.deallocate()
    }

    static func isGzip(_ bytes: [UInt8]) -> Bool { bytes.starts(with: [0x1F, 0x8B]) }

    /// - Returns: what these bytes, after those before, unpack to.
    func decode(_ bytes: [UInt8]) throws(Problem) -> [UInt8] {
        var input = bytes
        var output: [UInt8] = []
        do {
            try input.withUnsafeMutableBufferPointer { buffer in
                stream.pointee.next_in = buffer.baseAddress
                stream.pointee.avail_in = UInt32(buffer.count)
                while try hasWork() { try inflateOnce(into: &output) }
            }
        } catch let problem as Problem {
            throw problem
        } catch {
            preconditionFailure("inflating throws nothing else")
        }
        return output
    }

    /// The input has ended.
    /// - Throws: `.truncated` when it ended within a member, or there was none.
    func finish() throws(Problem) {
        if isInsideMember || !hasMember { throw .truncated }
    }

    /// Skips padding between members, and says whether there is something to unpack.
    private func hasWork() throws -> Bool {
        while !isInsideMember, stream.pointee.avail_in > 0, hasMember, stream.pointee.next_in.pointee == 0 {
            isPadding = true
            stream.pointee.next_in += 1
            stream.pointee.avail_in -= 1
        }
        guard stream.pointee.avail_in > 0 else { return false }
        if isPadding { throw Problem.damaged("there is something behind its end") }
        return true
    }

    private func inflateOnce(into output: inout [UInt8]) throws {
        isInsideMember = true
        hasMember = true
        var result: Int32 = Z_OK
        repeat {
            let piece = [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, initialized in
                stream.pointee.next_out = buffer.baseAddress
                stream.pointee.avail_out = UInt32(buffer.count)
                result = inflate(stream, Z_NO_FLUSH)
                initialized = buffer.count - Int(stream.pointee.avail_out)
            }
            output += piece
        } while result == Z_OK && stream.pointee.avail_out == 0
        switch result {
        case Z_OK, Z_BUF_ERROR: return
        case Z_STREAM_END:
            isInsideMember = false
            inflateReset(stream)
        default: throw Problem.damaged(stream.pointee.msg.map { String(cString: $0) } ?? "zlib error \(result)")
        }
    }
}
