// SPDX-License-Identifier: Apache-2.0

import TallyGzip

/// Reads a file from its beginning, unpacked when it is gzip. Being gzip shows in its first two bytes, not in its name.
struct ContentReader {
    private let file: InputFile
    private var decoder: GzipDecoder?
    /// How many bytes of the file itself were read.
    private(set) var position: Int64 = 0
    /// Gzip packs zeros a thousandfold, so this bounds what one piece may unpack to (32 MiB).
    private static let pieceBytes = 1 << 15

    init(file: InputFile) { self.file = file }

    /// The next piece, never empty; nil at the end.
    /// - Throws: `CommandFailure.failed` for what can't be read, for gzip that is cut off or damaged.
    mutating func next() throws(CommandFailure) -> [UInt8]? {
        while true {
            let bytes = try file.read(at: position, count: ContentReader.pieceBytes)
            if position == 0, GzipDecoder.isGzip(bytes) { decoder = GzipDecoder() }
            position += Int64(bytes.count)
            guard let decoder else { return bytes.isEmpty ? nil : bytes }
            do throws(GzipDecoder.Problem) {
                if bytes.isEmpty {
                    try decoder.finish()
                    return nil
                }
                let contents = try decoder.decode(bytes)
                if !contents.isEmpty { return contents }
            } catch { throw failure(error) }
        }
    }

    private func failure(_ problem: GzipDecoder.Problem) -> CommandFailure {
        switch problem {
        case .truncated: .failed("\(file.name): the gzip file is cut off; get the whole file and try again")
        case .damaged(let reason): .failed("\(file.name): the gzip file is damaged before byte \(position): \(reason)")
        }
    }
}
