// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// A file that was read once, whole: who the import is, what the file looks like, and that it can be read to its end.
struct ImportSource {
    let file: InputFile
    let fingerprint: ImportFingerprint
    let detectedFormat: ImportFormat
    /// How much was read, unpacked, in bytes. A file that grows meanwhile is imported up to here.
    let contentBytes: Int64

    /// Nothing of a file is imported unless all of it can be read: what is cut off or damaged would be another import
    /// than the whole file, and both together would count twice.
    init(file: InputFile, progress: (WorkProgress) throws -> Void) throws {
        var reader = ContentReader(file: file)
        var fingerprint = ImportFingerprint()
        var splitter = RecordSplitter()
        var firstLine: Record?
        var contentBytes: Int64 = 0
        let size = try file.size()
        while let bytes = try reader.next() {
            fingerprint.add(bytes)
            contentBytes += Int64(bytes.count)
            if firstLine == nil { firstLine = splitter.split(bytes).first { !$0.isBlank } }
            try progress(WorkProgress(done: reader.position, total: size))
        }
        firstLine = firstLine ?? splitter.finish()
        self.file = file
        self.fingerprint = fingerprint
        self.contentBytes = contentBytes
        detectedFormat = .detected(from: String(decoding: firstLine?.bytes ?? [], as: UTF8.self))
    }

    /// Calls `body` with each block of the file, in order, and how much of the file was read for it.
    ///
    /// - Returns: what became of its lines.
    /// - Throws: also when the content has changed since it was first read.
    func readBlocks(
        _ options: ImportOptions, body: (ImportBlock, inout BlockBuilder, WorkProgress) async throws -> Void
    ) async throws -> ImportSummary {
        var reader = ContentReader(file: file)
        var splitter = RecordSplitter(quotes: options.format == .csv)
        var builder = BlockBuilder(reader: try options.makeReader())
        var seen = ImportFingerprint()
        var remaining = contentBytes
        let size = try file.size()
        while remaining > 0, let piece = try reader.next() {
            let bytes = piece.count > remaining ? Array(piece.prefix(Int(remaining))) : piece
            remaining -= Int64(bytes.count)
            seen.add(bytes)
            for record in splitter.split(bytes) {
                guard let block = try builder.add(record) else { continue }
                try await body(block, &builder, WorkProgress(done: reader.position, total: size))
            }
        }
        let rest = [
            try splitter.finish().flatMap { record throws(CommandFailure) in try builder.add(record) },
            builder.finish(),
        ]
        for block in rest.compactMap({ $0 }) {
            try await body(block, &builder, WorkProgress(done: size, total: size))
        }
        guard remaining == 0, seen.node(options) == fingerprint.node(options) else {
            throw CommandFailure.failed(
                "\(file.name): it has changed while it was imported, so the counts are not right")
        }
        return builder.summary
    }
}
