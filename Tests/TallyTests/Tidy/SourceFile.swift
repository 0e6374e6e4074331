// SPDX-License-Identifier: Apache-2.0

import Foundation

/// One file of the project, as the tidy rules see it.
struct SourceFile: Sendable {
    /// From the package's root, such as `Sources/TallyCore/Events/Minute.swift`.
    let path: String
    let lines: [Substring]
    /// The lines without what comments and strings say; code inside an interpolation stays.
    let code: [Substring]

    init(path: String, text: String) {
        self.path = path
        self.lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        self.code = CodeScanner.code(of: text).split(separator: "\n", omittingEmptySubsequences: false)
    }

    var target: Substring { path.split(separator: "/").dropFirst().first ?? "" }
}

extension SourceFile {
    /// `#filePath` is `<root>/Tests/TallyTests/Tidy/SourceFile.swift`.
    static let packageRoot = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// All of the project's own, read once for all rules.
    static let ofThisProject = Result { try all(in: "Sources") + all(in: "Tests") }

    /// Every Swift file below `folder`, in the order of their paths.
    private static func all(in folder: String) throws -> [SourceFile] {
        let names = try FileManager.default.subpathsOfDirectory(atPath: packageRoot.appending(path: folder).path)
        return try names.filter { $0.hasSuffix(".swift") }.sorted().map { name in
            let url = packageRoot.appending(path: folder).appending(path: name)
            return SourceFile(path: "\(folder)/\(name)", text: try String(contentsOf: url, encoding: .utf8))
        }
    }
}
