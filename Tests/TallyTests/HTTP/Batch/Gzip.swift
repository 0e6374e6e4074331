// SPDX-License-Identifier: Apache-2.0

import CZlib

/// Packs with zlib, for tests of what unpacks.
enum Gzip {
    static func packed(_ bytes: [UInt8]) -> [UInt8] {
        var stream = z_stream()
        // 15 bits of window, and 16 for gzip.
        let result = deflateInit2_(
            &stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        precondition(result == Z_OK, "zlib accepts its own version and parameters")
        defer { deflateEnd(&stream) }
        var input = bytes
        let most = Int(deflateBound(&stream, UInt(bytes.count)))
        return [UInt8](unsafeUninitializedCapacity: most) { output, filled in
            input.withUnsafeMutableBufferPointer { input in
                stream.next_in = input.baseAddress
                stream.avail_in = UInt32(input.count)
                stream.next_out = output.baseAddress
                stream.avail_out = UInt32(most)
                precondition(deflate(&stream, Z_FINISH) == Z_STREAM_END, "the bound is large enough")
            }
            filled = most - Int(stream.avail_out)
        }
    }
}
