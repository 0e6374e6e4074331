// SPDX-License-Identifier: Apache-2.0

import Foundation
import TallyCore
import Testing

@testable import TallyBackends

@Suite("The disk of the operating system")
struct RealDiskTests {
    private let directory: DiskTestDirectory
    private let disk: RealDisk

    init() throws {
        directory = try DiskTestDirectory()
        disk = try RealDisk(path: directory.path)
    }

    @Test("a new file has its size, is of zeros and has its space")
    func create() throws {
        try disk.create("a", size: 1 << 20)
        #expect(try disk.size(of: "a") == 1 << 20)
        #expect(try disk.read("a", at: 0, count: 2 << 20) == [UInt8](repeating: 0, count: 1 << 20))
        let blocks = try directory.status(of: "a").st_blocks
        #expect(blocks * 512 >= 1 << 20)
    }

    @Test("what is written is read back, by this disk and by another")
    func writeAndRead() throws {
        try disk.create("a", size: 100)
        try disk.write([1, 2, 3], to: "a", at: 10)
        try disk.sync("a")
        for disk in [disk, try RealDisk(path: directory.path)] {
            #expect(try disk.read("a", at: 9, count: 5) == [0, 1, 2, 3, 0])
            #expect(try disk.read("a", at: 98, count: 5) == [0, 0])
            #expect(try disk.read("a", at: 100, count: 5) == [])
            #expect(try disk.read("a", at: 500, count: 5) == [])
        }
        try disk.write([], to: "a", at: 10)
        #expect(try disk.read("a", at: 10, count: 1) == [1])
    }

    @Test("a file is created anew over the old one")
    func createAgain() throws {
        try disk.create("a", size: 100)
        try disk.write([1], to: "a", at: 0)
        try disk.create("a", size: 50)
        #expect(try disk.read("a", at: 0, count: 100) == [UInt8](repeating: 0, count: 50))
    }

    @Test("names come, change and go")
    func names() throws {
        #expect(try disk.files() == [])
        try disk.create("a", size: 10)
        try disk.create("b", size: 20)
        #expect(try disk.files().sorted() == ["a", "b"])
        try disk.write([7], to: "a", at: 0)
        try disk.rename("a", to: "b")
        #expect(try disk.files() == ["b"])
        #expect(try disk.read("b", at: 0, count: 20) == [7] + [UInt8](repeating: 0, count: 9))
        try disk.syncDirectory()
        try disk.remove("b")
        #expect(try disk.files() == [])
    }

    @Test("what is not there is missing, and the message names it")
    func missing() throws {
        let path = "\(directory.path)/a"
        #expect(throws: DiskError.missing("could not open \(path): No such file or directory")) {
            try disk.read("a", at: 0, count: 1)
        }
        #expect(throws: DiskError.missing("could not remove \(path): No such file or directory")) {
            try disk.remove("a")
        }
        #expect(throws: DiskError.missing("could not rename \(path): No such file or directory")) {
            try disk.rename("a", to: "b")
        }
        #expect(throws: DiskError.self) { try RealDisk(path: "\(directory.path)/none") }
    }

    @Test("a file that doesn't fit is not made")
    func tooLarge() throws {
        // More than any file may have: the system says so at once.
        #expect { try disk.create("a", size: Int.max) } throws: { error in
            "\(error)".contains("could not reserve \(Int.max) bytes for \(directory.path)/a")
        }
        #expect(try disk.files() == [])
    }

    @Test("an error is told by what can be done about it")
    func errors() {
        #expect(DiskError(code: ENOSPC, "write", "f") == .full("could not write f: No space left on device"))
        #expect(DiskError(code: EDQUOT, "write", "f") == .full("could not write f: Disk quota exceeded"))
        #expect(DiskError(code: ENOENT, "open", "f") == .missing("could not open f: No such file or directory"))
        #expect(DiskError(code: EIO, "sync", "f") == .failed("could not sync f: Input/output error"))
    }
}

extension DiskTestDirectory {
    func status(of name: String) throws -> stat {
        var status = stat()
        guard stat("\(path)/\(name)", &status) == 0 else { throw CocoaError(.fileNoSuchFile) }
        return status
    }
}
