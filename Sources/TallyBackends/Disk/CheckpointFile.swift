// SPDX-License-Identifier: Apache-2.0

import Glibc
package import TallyCore

/// The file `checkpoint` of a data directory:
///
///     log         1 byte length, name
///     checkpoint  as a store keeps it
///     checksum    4 bytes, CRC-32C of all before
package final class CheckpointFile: CheckpointCopy {
    private let directory: String
    private let path: String
    private let executor = BlockingExecutor()

    package init(in directory: DataDirectory) {
        self.directory = directory.path
        path = "\(directory.path)/checkpoint"
    }

    package func read(of log: LogID) async -> Checkpoint? {
        let path = path
        let bytes: [UInt8]? = await executor.run {
            guard let file = try? FileDescriptor.open(path, O_RDONLY), let size = try? file.size() else { return nil }
            return try? file.read(at: 0, count: size)
        }
        return bytes.flatMap { CheckpointFile.decode($0, of: log) }
    }

    package func write(_ checkpoint: Checkpoint, of log: LogID) async throws(DiskError) {
        let bytes = CheckpointFile.encode(checkpoint, of: log)
        let (path, directory) = (path, directory)
        try await executor.run { () throws(DiskError) in
            let file = try FileDescriptor.open("\(path).new", O_RDWR | O_CREAT | O_TRUNC)
            try file.write(bytes, at: 0)
            try file.syncAll()
            guard rename("\(path).new", path) == 0 else { throw .last("rename", "\(path).new") }
            try FileDescriptor.open(directory, O_RDONLY | O_DIRECTORY).syncAll()
        }
    }

    static func encode(_ checkpoint: Checkpoint, of log: LogID) -> [UInt8] {
        var writer = ByteWriter(capacity: 256)
        writer.write(UInt8(log.name.utf8.count))
        writer.write(contentsOf: log.name.utf8)
        writer.write(contentsOf: checkpoint.encoded())
        writer.write(CRC32C.of(writer.bytes))
        return writer.bytes
    }

    /// What can't be read is no copy: the store has the checkpoint too.
    static func decode(_ bytes: [UInt8], of log: LogID) -> Checkpoint? {
        var expected = ByteWriter(capacity: 160)
        expected.write(UInt8(log.name.utf8.count))
        expected.write(contentsOf: log.name.utf8)
        var checksum = ByteReader(bytes.suffix(4))
        guard bytes.count > expected.bytes.count + 4, bytes.starts(with: expected.bytes),
            (try? checksum.read(UInt32.self)) == CRC32C.of(bytes.dropLast(4))
        else { return nil }
        return try? Checkpoint(decoding: Array(bytes.dropFirst(expected.bytes.count).dropLast(4)))
    }
}
