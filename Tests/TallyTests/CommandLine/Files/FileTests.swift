// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import tally

struct FileTests {
    private func contents(of path: String) throws -> String {
        var reader = ContentReader(file: try InputFile(path: path))
        var contents: [UInt8] = []
        while let bytes = try reader.next() { contents += bytes }
        return String(decoding: contents, as: UTF8.self)
    }

    @Test func packedAndPlainFilesReadTheSame() throws {
        let directory = try ScratchDirectory()
        #expect(try contents(of: directory.file("a", Array("one\ntwo\n".utf8))) == "one\ntwo\n")
        #expect(try contents(of: directory.file("b", GzipSample.first)) == "one\ntwo\n")
        #expect(try contents(of: directory.file("c", [])) == "")
    }

    @Test func aCutOffFileIsNamed() throws {
        let directory = try ScratchDirectory()
        let path = try directory.file("cut.gz", GzipSample.first.dropLast())
        #expect(throws: CommandFailure.failed("\(path): the gzip file is cut off; get the whole file and try again")) {
            try contents(of: path)
        }
    }

    @Test func aMissingFileAndADirectoryAreNamed() throws {
        let directory = try ScratchDirectory()
        #expect(throws: CommandFailure.failed("\(directory.path)/x: No such file or directory")) {
            try InputFile(path: "\(directory.path)/x")
        }
        #expect(throws: CommandFailure.failed("\(directory.path): it is a directory")) {
            try InputFile(path: directory.path)
        }
    }

    @Test func aPipeIsSpooledIntoAFileWithoutAName() throws {
        let directory = try ScratchDirectory()
        let pipe = Pipe()
        pipe.fileHandleForWriting.write(Data("from a pipe".utf8))
        try pipe.fileHandleForWriting.close()
        let input = InputFile(descriptor: dup(pipe.fileHandleForReading.fileDescriptor), name: "standard input")
        #expect(try !input.isRegular())
        let spool = try SpoolFile.copy(of: input, in: directory.path) { _ in }
        #expect(try spool.isRegular())
        #expect(try spool.size() == 11)
        #expect(try String(decoding: spool.read(at: 5, count: 100), as: UTF8.self) == "a pipe")
        #expect(directory.names.isEmpty)
    }

    @Test func anOutputFileAppearsWhenItIsWhole() throws {
        let directory = try ScratchDirectory()
        let path = try directory.file("out", Array("before".utf8))
        let output = try OutputFile.create(path: path)
        try output.write("after")
        try output.flush()
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "before")
        try output.finish()
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "after")
        #expect(directory.names == ["out"])
    }

    @Test func anUnfinishedOutputFileLeavesNothing() throws {
        let directory = try ScratchDirectory()
        do { try OutputFile.create(path: "\(directory.path)/out").write("half") }
        #expect(directory.names.isEmpty)
    }

    @Test func aDeviceIsWrittenToAsItIs() throws {
        let output = try OutputFile.create(path: "/dev/null")
        try output.write("x")
        try output.finish()
        #expect(FileManager.default.fileExists(atPath: "/dev/null"))
        let full = try OutputFile.create(path: "/dev/full")
        try full.write("x")
        #expect(throws: CommandFailure.failed("/dev/full: No space left on device")) { try full.finish() }
    }
}
