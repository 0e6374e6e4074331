// SPDX-License-Identifier: Apache-2.0

import CZlib

/// Unpacks gzip (RFC 1952) piece by piece: one member or several, as `cat a.gz b.gz` makes them. Zero bytes behind the
/// last member are padding.
package final class GzipDecoder {
    /// So much is unpacked at once, whatever the input promises.
    private static let pieceBytes = 1 << 16

    /// zlib keeps a pointer to it, so it must not move.
    private let stream: UnsafeMutablePointer<z_stream>
    private let piece: UnsafeMutableBufferPointer<UInt8>
    /// A member began and did not end yet.
    private var isInsideMember = false
    private var hasMember = false
    private var isPadding = false

    package enum Problem: Error, Equatable {
        case truncated
        case damaged(String)
    }

    package init() {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        piece = .allocate(capacity: GzipDecoder.pieceBytes)
        piece.initialize(repeating: 0)
        // 15 bits of window, and 16 for "gzip alone".
        let result = inflateInit2_(stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        precondition(result == Z_OK, "zlib accepts its own version and parameters")
    }

    deinit {
        inflateEnd(stream)
        stream.deinitialize(count: 1)
        stream.deallocate()
        piece.deallocate()
    }

    package static func isGzip(_ bytes: [UInt8]) -> Bool { bytes.starts(with: [0x1F, 0x8B]) }

    /// - Returns: what these bytes, after those before, unpack to.
    package func decode(_ bytes: [UInt8]) throws(Problem) -> [UInt8] {
        var output: [UInt8] = []
        do {
            try bytes.withUnsafeBytes { bytes in try decode(bytes) { output += $0 } }
        } catch let problem as Problem {
            throw problem
        } catch {
            preconditionFailure("inflating throws nothing else")
        }
        return output
    }

    /// Hands on what these bytes, after those before, unpack to, in pieces of bounded size: it may be a thousand times as
    /// much.
    /// - Throws: `Problem`, and what `take` throws.
    package func decode(_ bytes: UnsafeRawBufferPointer, _ take: (UnsafeRawBufferPointer) throws -> Void) throws {
        // zlib only reads it.
        stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.assumingMemoryBound(to: UInt8.self).baseAddress)
        stream.pointee.avail_in = UInt32(bytes.count)
        while try hasWork() { try inflateOnce(take) }
    }

    /// The input has ended.
    /// - Throws: `.truncated` when it ended within a member, or there was none.
    package func finish() throws(Problem) {
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

    private func inflateOnce(_ take: (UnsafeRawBufferPointer) throws -> Void) throws {
        isInsideMember = true
        hasMember = true
        var result: Int32 = Z_OK
        repeat {
            stream.pointee.next_out = piece.baseAddress
            stream.pointee.avail_out = UInt32(piece.count)
            result = inflate(stream, Z_NO_FLUSH)
            let filled = piece.count - Int(stream.pointee.avail_out)
            if filled > 0 { try take(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(piece)[..<filled])) }
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

extension GzipDecoder.Problem: CustomStringConvertible {
    package var description: String {
        switch self {
        case .truncated: "it is cut off, or no gzip"
        case .damaged(let reason): "it is no gzip, or damaged: \(reason)"
        }
    }
}
