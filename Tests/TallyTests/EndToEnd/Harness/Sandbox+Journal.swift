// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension Sandbox {
    /// A file of the journal.
    struct Segment {
        let url: URL

        var name: String { url.lastPathComponent }

        func contents() throws -> Data { try Data(contentsOf: url) }

        /// The position after the last record. `docs/journal-format.md` has the format: a header of 128 bytes, then records of
        /// 24 bytes and a payload each, at multiples of 8, until a length of zero.
        func endOfRecords() throws -> Int {
            let bytes = [UInt8](try contents())
            var position = 128
            while position + 24 <= bytes.count {
                let length = bytes[position..<position + 4].reversed().reduce(0) { $0 << 8 | Int($1) }
                if length == 0 { break }
                position += (24 + length + 7) / 8 * 8
            }
            return position
        }

        func overwrite(at position: Int, with bytes: [UInt8]) throws {
            let file = try FileHandle(forUpdating: url)
            defer { try? file.close() }
            try file.seek(toOffset: UInt64(position))
            try file.write(contentsOf: bytes)
        }
    }

    /// In the order of the log.
    func segments() throws -> [Segment] {
        let journal = URL(filePath: data).appending(path: "journal")
        return try FileManager.default.contentsOfDirectory(atPath: journal.path)
            .filter { $0.hasSuffix(".segment") }.sorted().map { Segment(url: journal.appending(path: $0)) }
    }

    /// Counts until the journal has two segments, and kills the server before anything is in the store.
    /// - Returns: how many clicks of banner 7 were acknowledged.
    func fillSegments() async throws -> Int {
        let tally = try await serve("--segment-size", "1MiB", "--flush-every", "1h")
        var counted = 0
        while try segments().count < 2 {
            let lines = (1...1000).map { #"{"banner":7,"id":"\#(counted + $0)"}"# }
            try #require(try await tally.client.post(events: lines).status == 200)
            counted += lines.count
        }
        // One commit more, which knows that those before were durable.
        try await tally.client.click(7)
        try await tally.kill()
        return counted + 1
    }
}
