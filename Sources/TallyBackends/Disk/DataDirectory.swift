// SPDX-License-Identifier: Apache-2.0

import Glibc
import TallyCore

/// The directory of one tally, held by one process at a time:
///
///     VERSION    "tally data format 1"
///     lock       the id of the process that holds it
///     journal/   see docs/journal-format.md
///
/// It is free again when this object is gone, or the process, however it ended.
package final class DataDirectory: Sendable {
    private static let format = 1
    private static let versionPrefix = "tally data format "
    private static let versionName = "VERSION"
    private static let lockName = "lock"

    /// As it was given.
    package let path: String
    private let lock: FileDescriptor

    /// Takes the directory; makes it, with its parents, if there is none.
    package init(path: String) throws(DataDirectoryError) {
        self.path = path
        do throws(DiskError) {
            try DataDirectory.make(path)
        } catch {
            throw .unusable("the data directory \(path) can't be used: \(error)")
        }
        try DataDirectory.check(path)
        lock = try DataDirectory.lock(path)
        // Checked again, since another process may have made it between.
        try DataDirectory.check(path)
        do throws(DiskError) {
            try DataDirectory.writeVersion(in: path)
            try DataDirectory.make("\(path)/journal")
            try FileDescriptor.open(path, O_RDONLY | O_DIRECTORY).syncAll()
        } catch {
            throw .unusable("the data directory \(path) can't be written: \(error)")
        }
    }

    /// Takes a directory that tally has made before.
    package convenience init(existing path: String) throws(DataDirectoryError) {
        guard access(path, F_OK) == 0 else {
            throw .foreign("there is no data directory \(path); --data names another")
        }
        guard access("\(path)/\(DataDirectory.versionName)", F_OK) == 0 else {
            throw .foreign("\(path) is no data directory of tally: it has no file \(DataDirectory.versionName)")
        }
        try self.init(path: path)
    }

    package var journalPath: String { "\(path)/journal" }

    private static func make(_ path: String) throws(DiskError) {
        var parent = path.hasPrefix("/") ? "/" : "."
        for part in path.split(separator: "/") {
            let child = "\(parent)/\(part)"
            if mkdir(child, 0o755) == 0 {
                // The new name must survive like what will be below it.
                try FileDescriptor.open(parent, O_RDONLY | O_DIRECTORY).syncAll()
            } else if errno != EEXIST {
                throw .last("make the directory", path)
            }
            parent = child
        }
        _ = try FileDescriptor.open(path, O_RDONLY | O_DIRECTORY)
    }

    private static func check(_ path: String) throws(DataDirectoryError) {
        let names: [String]
        var version: String?
        do throws(DiskError) {
            names = try RealDisk(path: path).files()
            if names.contains(versionName) {
                let file = try FileDescriptor.open("\(path)/\(versionName)", O_RDONLY)
                version = String(decoding: try file.read(at: 0, count: 100), as: UTF8.self)
            }
        } catch {
            throw .unusable("the data directory \(path) can't be read: \(error)")
        }
        if let version { return try check(version: version, path) }
        // What is allowed may be left when the first start was interrupted.
        let allowed = [lockName, "\(versionName).new"]
        if let name = names.sorted().first(where: { !allowed.contains($0) }) {
            throw .foreign(
                "\(path) can't be the data directory: it has \(name), but no file \(versionName), so it is not tally's. "
                    + "Name an empty or a new directory")
        }
    }

    private static func check(version text: String, _ path: String) throws(DataDirectoryError) {
        let line = text.hasSuffix("\n") ? text.dropLast() : text[...]
        guard line.hasPrefix(versionPrefix), let version = Int(line.dropFirst(versionPrefix.count)), version >= 1 else {
            throw .foreign(
                "\(path)/\(versionName) does not say \"\(versionPrefix)\(format)\": "
                    + "this is no data directory of tally, or it is damaged")
        }
        guard version <= format else {
            throw .newer(
                "\(path) has data format \(version), and this tally knows up to \(format): use the newer tally that made it"
            )
        }
    }

    private static func lock(_ path: String) throws(DataDirectoryError) -> FileDescriptor {
        let holder: String
        do throws(DiskError) {
            let file = try FileDescriptor.open("\(path)/\(lockName)", O_RDWR | O_CREAT)
            if try file.lockExclusively() {
                try file.truncate()
                try file.write(Array("\(getpid())\n".utf8), at: 0)
                return file
            }
            holder = String(decoding: try file.read(at: 0, count: 20), as: UTF8.self)
        } catch {
            throw .unusable("the data directory \(path) can't be used: \(error)")
        }
        let digits = holder.prefix { $0.isASCII && $0.isNumber }
        let process = digits.isEmpty ? "another process" : "process \(digits)"
        throw .locked("\(process) is using the data directory \(path); only one can at a time")
    }

    private static func writeVersion(in path: String) throws(DiskError) {
        let name = "\(path)/\(versionName)"
        if access(name, F_OK) == 0 { return }
        let file = try FileDescriptor.open("\(name).new", O_RDWR | O_CREAT | O_TRUNC)
        try file.write(Array("\(versionPrefix)\(format)\n".utf8), at: 0)
        try file.syncAll()
        guard rename("\(name).new", name) == 0 else { throw .last("rename", "\(name).new") }
    }
}

/// Why a directory can't be tally's, by what a person can do. The text says it.
package enum DataDirectoryError: Error, Equatable, Sendable {
    /// Stop the other process, or use another directory.
    case locked(String)
    /// Use another directory.
    case foreign(String)
    /// Use a newer tally.
    case newer(String)
    /// Permissions, a read-only or a full disk.
    case unusable(String)
}

extension DataDirectoryError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .locked(let reason), .foreign(let reason), .newer(let reason), .unusable(let reason): reason
        }
    }
}
