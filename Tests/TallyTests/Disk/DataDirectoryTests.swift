// SPDX-License-Identifier: Apache-2.0

import Foundation
import TallyBackends
import Testing

@Suite("A data directory")
struct DataDirectoryTests {
    private let parent: DiskTestDirectory
    private var path: String { "\(parent.path)/tally/data" }

    init() throws { parent = try DiskTestDirectory() }

    @Test("is made with its parents, says its version and who has it")
    func made() throws {
        let directory = try DataDirectory(path: path)
        #expect(directory.path == path)
        #expect(try parent.text(of: "tally/data/VERSION") == "tally data format 1\n")
        #expect(try parent.text(of: "tally/data/lock") == "\(getpid())\n")
        #expect(try parent.names(in: "tally/data") == ["VERSION", "journal", "lock"])
    }

    @Test("is had by one at a time, and free again afterwards")
    func locked() throws {
        var first: DataDirectory? = try DataDirectory(path: path)
        #expect(
            throws: DataDirectoryError.locked(
                "process \(getpid()) is using the data directory \(path); only one can at a time")
        ) { try DataDirectory(path: path) }
        #expect(first != nil)
        first = nil
        _ = try DataDirectory(path: path)
    }

    @Test("that must exist is not made, and the text says whether it is missing or foreign")
    func existing() throws {
        let missing = DataDirectoryError.foreign("there is no data directory \(path); --data names another")
        #expect(throws: missing) { try DataDirectory(existing: path) }
        #expect(!FileManager.default.fileExists(atPath: path))
        let foreign = DataDirectoryError.foreign("\(parent.path) is no data directory of tally: it has no file VERSION")
        #expect(throws: foreign) { try DataDirectory(existing: parent.path) }
        _ = try DataDirectory(path: path)
        _ = try DataDirectory(existing: path)
    }

    @Test("is taken from a process that died")
    func leftLock() throws {
        _ = try DataDirectory(path: path)
        try parent.write("99999\n", to: "tally/data/lock")
        _ = try DataDirectory(path: path)
        #expect(try parent.text(of: "tally/data/lock") == "\(getpid())\n")
    }

    @Test("of a newer format is refused", arguments: [2, 17])
    func newer(format: Int) throws {
        _ = try DataDirectory(path: path)
        try parent.write("tally data format \(format)\n", to: "tally/data/VERSION")
        let text =
            "\(path) has data format \(format), and this tally knows up to 1: use the newer tally that made it"
        #expect(throws: DataDirectoryError.newer(text)) { try DataDirectory(path: path) }
    }

    @Test("with another VERSION is refused", arguments: ["", "15\n", "tally data format x\n", "tally data format 0\n"])
    func foreignVersion(text: String) throws {
        _ = try DataDirectory(path: path)
        try parent.write(text, to: "tally/data/VERSION")
        #expect { try DataDirectory(path: path) } throws: { error in
            guard case DataDirectoryError.foreign(let text) = error else { return false }
            return text.contains("VERSION") && text.contains("tally data format 1")
        }
    }

    @Test("is never made of one that holds something else, which stays as it was")
    func foreign() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try parent.write("mine", to: "tally/data/thesis.tex")
        #expect { try DataDirectory(path: path) } throws: { error in
            guard case DataDirectoryError.foreign(let text) = error else { return false }
            return text.contains("thesis.tex") && text.contains(path)
        }
        #expect(try parent.names(in: "tally/data") == ["thesis.tex"])
    }

    @Test("is finished when the first start was interrupted")
    func interrupted() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try parent.write("", to: "tally/data/lock")
        try parent.write("tal", to: "tally/data/VERSION.new")
        _ = try DataDirectory(path: path)
        #expect(try parent.text(of: "tally/data/VERSION") == "tally data format 1\n")
    }

    @Test("can't be a file, or below one")
    func file() throws {
        try parent.write("", to: "file")
        for path in ["\(parent.path)/file", "\(parent.path)/file/data"] {
            #expect { try DataDirectory(path: path) } throws: { error in
                guard case DataDirectoryError.unusable(let text) = error else { return false }
                return text.contains(path) && text.contains("Not a directory")
            }
        }
    }

    @Test("can't be where nothing can be made")
    func unwritable() {
        #expect { try DataDirectory(path: "/proc/tally-data") } throws: { error in
            guard case DataDirectoryError.unusable(let text) = error else { return false }
            return text.contains("/proc/tally-data")
        }
    }

    @Test("may be named relative to the working directory")
    func relative() throws {
        let name = "tally-data-\(UUID())"
        defer { try? FileManager.default.removeItem(atPath: name) }
        let directory = try DataDirectory(path: "./\(name)")
        #expect(directory.path == "./\(name)")
        #expect(FileManager.default.fileExists(atPath: "\(name)/VERSION"))
    }
}
