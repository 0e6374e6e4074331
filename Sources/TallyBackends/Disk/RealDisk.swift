// SPDX-License-Identifier: Apache-2.0

import Glibc
package import TallyCore

/// A directory of the operating system. Files stay open once used.
package final class RealDisk: Disk {
    private let path: String
    private let directory: FileDescriptor
    private var open: [String: FileDescriptor] = [:]

    /// - Parameter path: a directory that exists.
    package init(path: String) throws(DiskError) {
        self.path = path
        directory = try FileDescriptor.open(path, O_RDONLY | O_DIRECTORY)
    }

    package func files() throws(DiskError) -> [String] {
        guard let stream = opendir(path) else { throw .last("list", path) }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                if errno != 0 { throw .last("list", path) }
                return names
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
    }

    package func size(of name: String) throws(DiskError) -> Int { try file(name).size() }

    package func create(_ name: String, size: Int) throws(DiskError) {
        open[name] = nil
        let file = try FileDescriptor.open(filePath(name), O_RDWR | O_CREAT | O_TRUNC)
        do throws(DiskError) {
            try file.allocate(size)
        } catch {
            unlink(filePath(name))
            throw error
        }
        open[name] = file
    }

    package func read(_ name: String, at position: Int, count: Int) throws(DiskError) -> [UInt8] {
        try file(name).read(at: position, count: count)
    }

    package func write(_ bytes: [UInt8], to name: String, at position: Int) throws(DiskError) {
        try file(name).write(bytes, at: position)
    }

    package func sync(_ name: String) throws(DiskError) { try file(name).syncData() }

    package func rename(_ name: String, to newName: String) throws(DiskError) {
        guard Glibc.rename(filePath(name), filePath(newName)) == 0 else { throw .last("rename", filePath(name)) }
        open[name] = nil
        open[newName] = nil
    }

    package func remove(_ name: String) throws(DiskError) {
        guard unlink(filePath(name)) == 0 else { throw .last("remove", filePath(name)) }
        open[name] = nil
    }

    package func syncDirectory() throws(DiskError) { try directory.syncAll() }

    private func filePath(_ name: String) -> String { "\(path)/\(name)" }

    private func file(_ name: String) throws(DiskError) -> FileDescriptor {
        if let file = open[name] { return file }
        let file = try FileDescriptor.open(filePath(name), O_RDWR)
        open[name] = file
        return file
    }
}
