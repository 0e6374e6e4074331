// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Copies what can be read only once into a temporary file, which can be read twice. The file has no name any more when
/// it is filled, so it is gone with the process, however that ends.
enum SpoolFile {
    /// - Parameters:
    ///   - directory: where there is room for all of it.
    ///   - progress: is told how many bytes were read so far.
    static func copy(
        of input: InputFile, in directory: String, progress: (Int64) throws -> Void
    ) throws -> InputFile {
        let random = String(repeating: "X", count: 6)
        var template = Array("\(directory)/tally-import-\(random)".utf8CString)
        let descriptor = mkstemp(&template)
        if descriptor < 0 { throw CommandFailure.failed("\(directory): \(SystemError.text(errno))") }
        unlink(template)
        let spool = InputFile(descriptor: descriptor, name: input.name)
        var copied: Int64 = 0
        while true {
            try Task.checkCancellation()
            guard input.waitUntilReadable(milliseconds: 100) else { continue }
            let bytes = try input.readNext(count: 1 << 18)
            if bytes.isEmpty { return spool }
            if let failure = DescriptorWriter.write(bytes, to: descriptor) {
                throw CommandFailure.failed("a temporary file in \(directory): \(SystemError.text(failure))")
            }
            copied += Int64(bytes.count)
            try progress(copied)
        }
    }
}
