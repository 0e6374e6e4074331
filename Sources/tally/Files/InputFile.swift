// SPDX-License-Identifier: Apache-2.0

import Glibc
import TallyBackends

/// An open file to read from. It is closed when nobody holds it any more.
final class InputFile: Sendable {
    private let descriptor: Int32
    /// For messages.
    let name: String

    /// - Throws: `.failed` when it can't be opened, or is a directory.
    convenience init(path: String) throws(CommandFailure) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0 { throw .failed("\(path): \(SystemError.text(errno))") }
        self.init(descriptor: descriptor, name: path)
        if try status().isDirectory { throw .failed("\(path): it is a directory") }
    }

    /// Takes over the descriptor.
    init(descriptor: Int32, name: String) {
        self.descriptor = descriptor
        self.name = name
    }

    deinit { close(descriptor) }

    /// In bytes; 0 for what has no size, such as a pipe.
    func size() throws(CommandFailure) -> Int64 { try status().size }

    /// Only a regular file can be read twice.
    func isRegular() throws(CommandFailure) -> Bool { try status().isRegular }

    /// Up to `count` bytes from `position`; `[]` at the end of the file.
    func read(at position: Int64, count: Int) throws(CommandFailure) -> [UInt8] {
        try read(count: count) { buffer in pread(descriptor, buffer.baseAddress, count, off_t(position)) }
    }

    /// Up to `count` bytes, from where the last such read ended; `[]` at the end.
    func readNext(count: Int) throws(CommandFailure) -> [UInt8] {
        try read(count: count) { buffer in Glibc.read(descriptor, buffer.baseAddress, count) }
    }

    /// All that is left, but no more than `limit` bytes.
    func readAll(upTo limit: Int) throws(CommandFailure) -> [UInt8] {
        var contents: [UInt8] = []
        while contents.count < limit {
            let bytes = try readNext(count: min(65_536, limit - contents.count))
            if bytes.isEmpty { break }
            contents += bytes
        }
        return contents
    }

    /// Waits until there is something to read, or the end, but not longer than `milliseconds`.
    func waitUntilReadable(milliseconds: Int32) -> Bool {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&request, 1, milliseconds) != 0
    }

    private func read(
        count: Int, with call: (UnsafeMutableBufferPointer<UInt8>) -> Int
    ) throws(CommandFailure) -> [UInt8] {
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            var result = call(buffer)
            while result < 0, errno == EINTR { result = call(buffer) }
            if result < 0 { failure = errno }
            initialized = max(0, result)
        }
        if failure != 0 { throw .failed("\(name): \(SystemError.text(failure))") }
        return bytes
    }

    private func status() throws(CommandFailure) -> FileStatus {
        guard let status = FileStatus(descriptor: descriptor) else {
            throw .failed("\(name): \(SystemError.text(errno))")
        }
        return status
    }
}
