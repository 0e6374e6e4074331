// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A real access log of 10,000 lines and what counting its paths by the minute gives. It lies beside the package.
enum AccessLogSample {
    private static let directory = URL(filePath: #filePath).deletingLastPathComponent().appending(
        path: "../../../../../shared/data"
    ).standardizedFileURL

    static let log = directory.appending(path: "access-2015.log.gz").path
    static let expected = directory.appending(path: "access-2015.expected.tsv").path
    static let match = #""\S+ (\S+)"#

    static var exists: Bool {
        FileManager.default.fileExists(atPath: log) && FileManager.default.fileExists(atPath: expected)
    }

    static func expectedText() throws -> String { try String(contentsOfFile: expected, encoding: .utf8) }
}
