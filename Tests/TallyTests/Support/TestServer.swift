// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The servers that `Scripts/test` starts for the tests, by their addresses.
enum TestServer {
    static let postgreSQL = address("TALLY_TEST_POSTGRES")

    private static func address(_ variable: String) -> String? {
        ProcessInfo.processInfo.environment[variable].flatMap { $0.isEmpty ? nil : $0 }
    }
}
