// SPDX-License-Identifier: Apache-2.0

import Glibc
import TallyBackends

/// Where a command's result goes: standard output, or a file that appears under its name only when it is whole.
final class OutputFile {
    private let descriptor: Int32
    /// What the unfinished file is called, and what it will be; nil when it is written in place.
    private let names: (partial: String, final: String)?
    private let name: String
    private var buffer: [UInt8] = []
    private var isFinished = false
    private static let bufferSize = 1 << 16

    private init(descriptor: Int32, name: String, names: (partial: String, final: String)?) {
        self.descriptor = descriptor
        self.name = name
        self.names = names
    }

    static func standardOutput() -> OutputFile {
        OutputFile(descriptor: STDOUT_FILENO, name: "standard output", names: nil)
    }

    /// - Parameter path: a new file, one to be replaced, or a pipe or device, which is written to as it is.
    static func create(path: String) throws(CommandFailure) -> OutputFile {
        let isSpecial = FileStatus(path: path).map { !$0.isRegular } ?? false
        let partial = isSpecial ? path : path + ".partial"
        let descriptor = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        if descriptor < 0 { throw .failed("\(partial): \(SystemError.text(errno))") }
        return OutputFile(descriptor: descriptor, name: path, names: isSpecial ? nil : (partial, path))
    }

    deinit {
        if descriptor != STDOUT_FILENO { close(descriptor) }
        if let names, !isFinished { unlink(names.partial) }
    }

    /// - Throws: `.outputClosed` when the reader of a pipe has gone; `.failed` when there is no room.
    func write(_ text: String) throws(CommandFailure) {
        buffer.append(contentsOf: text.utf8)
        if buffer.count >= OutputFile.bufferSize { try flush() }
    }

    func flush() throws(CommandFailure) {
        let failure = DescriptorWriter.write(buffer, to: descriptor)
        buffer.removeAll(keepingCapacity: true)
        switch failure {
        case nil: return
        case EPIPE: throw .outputClosed
        case let number?: throw .failed("\(name): \(SystemError.text(number))")
        }
    }

    /// All is written: the file gets its name.
    func finish() throws(CommandFailure) {
        try flush()
        if let names, rename(names.partial, names.final) != 0 {
            throw .failed("\(names.final): \(SystemError.text(errno))")
        }
        isFinished = true
    }
}
