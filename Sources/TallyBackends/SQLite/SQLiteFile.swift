// SPDX-License-Identifier: Apache-2.0

import TallyCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// The files of an open store, so that one that was deleted is noticed: SQLite would go on writing into what no longer
/// has a name, and all of it would be gone at the end of the process.
struct SQLiteFile: Sendable {
    private struct Identity: Equatable {
        let device: UInt64
        let inode: UInt64
    }

    private let path: String
    private let opened: [(path: String, identity: Identity)]

    /// - Parameter path: of an open store; its write-ahead log lies beside it from now on until the store is closed.
    init(ofOpenStoreAt path: String) throws(StoreError) {
        self.path = path
        var opened: [(path: String, identity: Identity)] = []
        for name in [path, path + "-wal"] {
            guard let identity = SQLiteFile.identity(of: name) else {
                throw .unavailable("the store at \(path) can't be used: \(name) was deleted just after it was opened")
            }
            opened.append((name, identity))
        }
        self.opened = opened
    }

    /// - Throws: when a name of the store no longer leads to the file that was opened.
    func check() throws(StoreError) {
        for file in opened {
            let found = SQLiteFile.identity(of: file.path)
            if found == file.identity { continue }
            let event = found == nil ? "deleted or moved away" : "replaced by another file"
            throw .unavailable(
                "the store at \(path) can't be used: \(file.path) was \(event) while it was open; "
                    + "put the file back, or stop this tally and start it again with the files as they shall be")
        }
    }

    private static func identity(of path: String) -> Identity? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return Identity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }

    /// In bytes; nil when there is no such file.
    static func size(of path: String) -> Int? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return Int(status.st_size)
    }

    /// The directory that holds the file of this path.
    static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Makes a file's bytes, or a directory's names, survive a loss of power.
    ///
    /// Never call this for a file that SQLite has open: closing any descriptor of a file drops the process's locks on it.
    static func synchronize(_ path: String) throws(StoreError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("opened", path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("synced", path) }
    }

    /// Gives the file another name, in the place of a file that has it already, and makes that survive a loss of power.
    static func move(_ path: String, to newPath: String) throws(StoreError) {
        guard rename(path, newPath) == 0 else { throw failure("renamed to \(newPath)", path) }
        try synchronize(directory(of: newPath))
    }

    /// Removes the file if there is one.
    static func remove(_ path: String) throws(StoreError) {
        guard unlink(path) == 0 || errno == ENOENT else { throw failure("removed", path) }
    }

    private static func failure(_ verb: String, _ path: String) -> StoreError {
        .unavailable("\(path) could not be \(verb): \(String(cString: strerror(errno)))")
    }
}
