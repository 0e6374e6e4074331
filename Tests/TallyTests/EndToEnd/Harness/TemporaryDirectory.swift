// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A directory of its own for one test; `remove` takes away everything in it.
struct TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        var template = Array((NSTemporaryDirectory() + "tally-test-" + String(repeating: "X", count: 6)).utf8CString)
        guard mkdtemp(&template) != nil else { throw HarnessError.system("mkdtemp") }
        path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    }

    func appending(_ name: String) -> String { "\(path)/\(name)" }

    /// What was made read-only is removed all the same.
    func remove() {
        let manager = FileManager.default
        for name in (try? manager.subpathsOfDirectory(atPath: path)) ?? [] { _ = chmod(appending(name), 0o700) }
        try? manager.removeItem(atPath: path)
    }
}
