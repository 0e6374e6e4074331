// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Certificates of a test's own; `Scripts/services/certificates` says which.
struct TestCertificates: Sendable {
    private let directory: String

    init(in sandbox: Sandbox) async throws {
        directory = sandbox.directory.path
        let script = SourceFile.packageRoot.appending(path: "Scripts/services/certificates").path
        let made = try sandbox.start(["make", directory], executable: script)
        guard try await made.waitForExit() == .code(0) else { throw HarnessError(made.report.errorText) }
    }

    func file(_ name: String) -> String { directory + "/" + name }
}
