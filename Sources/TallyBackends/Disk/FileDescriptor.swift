// SPDX-License-Identifier: Apache-2.0

import Glibc
import TallyCore

/// An open file or directory, closed when nobody holds it any more. Calls that a signal interrupts are made again.
final class FileDescriptor: Sendable {
    let number: Int32
    /// For messages.
    private let path: String

    private init(number: Int32, path: String) {
        self.number = number
        self.path = path
    }

    deinit { close(number) }

    static func open(_ path: String, _ flags: Int32) throws(DiskError) -> FileDescriptor {
        while true {
            let number = Glibc.open(path, flags | O_CLOEXEC, 0o644)
            if number >= 0 { return FileDescriptor(number: number, path: path) }
            if errno != EINTR { throw .last("open", path) }
        }
    }

    func size() throws(DiskError) -> Int {
        var information = stat()
        guard fstat(number, &information) == 0 else { throw .last("look at", path) }
        return Int(information.st_size)
    }

    /// Reserves the space, so that writing within it can't fail for want of it (on file systems that overwrite in place).
    func allocate(_ size: Int) throws(DiskError) {
        while true {
            // This function returns the error instead of setting errno.
            let code = posix_fallocate(number, 0, size)
            if code == 0 { return }
            if code != EINTR { throw DiskError(code: code, "reserve \(size) bytes for", path) }
        }
    }

    /// - Returns: fewer bytes only at the end of the file.
    func read(at position: Int, count: Int) throws(DiskError) -> [UInt8] {
        var failure: DiskError?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let rest = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[filled...])
                let read = pread(number, rest.baseAddress, rest.count, position + filled)
                if read > 0 {
                    filled += read
                } else if read == 0 {
                    return
                } else if errno != EINTR {
                    failure = .last("read", path)
                    return
                }
            }
        }
        if let failure { throw failure }
        return bytes
    }

    func write(_ bytes: [UInt8], at position: Int) throws(DiskError) {
        let failure = bytes.withUnsafeBytes { buffer -> DiskError? in
            var done = 0
            while done < buffer.count {
                let rest = UnsafeRawBufferPointer(rebasing: buffer[done...])
                let written = pwrite(number, rest.baseAddress, rest.count, position + done)
                if written > 0 {
                    done += written
                } else if written == 0 || errno != EINTR {
                    return .last("write", path)
                }
            }
            return nil
        }
        if let failure { throw failure }
    }

    /// Everything that is needed to read the bytes back; not the time of the change.
    func syncData() throws(DiskError) {
        // Not repeated, even when interrupted: only the first answer says what became of the pages.
        guard fdatasync(number) == 0 else { throw .last("sync", path) }
    }

    func syncAll() throws(DiskError) {
        guard fsync(number) == 0 else { throw .last("sync", path) }
    }

    /// - Returns: false when another process, or another part of this one, has it.
    func lockExclusively() throws(DiskError) -> Bool {
        while true {
            if flock(number, LOCK_EX | LOCK_NB) == 0 { return true }
            if errno == EWOULDBLOCK { return false }
            if errno != EINTR { throw .last("lock", path) }
        }
    }

    func truncate() throws(DiskError) {
        guard ftruncate(number, 0) == 0 else { throw .last("empty", path) }
    }
}

extension DiskError {
    /// What `errno` says now.
    static func last(_ operation: String, _ path: String) -> DiskError {
        DiskError(code: errno, operation, path)
    }

    init(code: Int32, _ operation: String, _ path: String) {
        let text = "could not \(operation) \(path): \(String(cString: strerror(code)))"
        switch code {
        case ENOSPC, EDQUOT: self = .full(text)
        case ENOENT: self = .missing(text)
        default: self = .failed(text)
        }
    }
}
