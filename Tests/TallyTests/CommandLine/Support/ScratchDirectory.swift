// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A directory of its own for one test, gone when the test is over.
final class ScratchDirectory {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "tally-tests-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// - Returns: the path of a new file with these bytes.
    func file(_ name: String, _ contents: some Sequence<UInt8>) throws -> String {
        let path = "\(path)/\(name)"
        try Data(contents).write(to: URL(filePath: path))
        return path
    }

    var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }
}
