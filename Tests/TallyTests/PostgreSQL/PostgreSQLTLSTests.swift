// SPDX-License-Identifier: Apache-2.0

#if PostgreSQL

import Foundation
import TallyCore
import Testing

@testable import TallyBackends

@Suite("PostgreSQL over TLS, as libpq's URL says", .needsPostgreSQL, .timeLimit(.minutes(5)))
struct PostgreSQLTLSTests {
    @Test("a certificate whose root is named is trusted, and the connection is encrypted")
    func trusted() async throws {
        try await withServer("server") { server, certificates in
            let url = "\(server.url)?sslmode=verify-full&sslrootcert=\(certificates.file("root.pem"))"
            let store = PostgreSQLStore(url: try PostgreSQLURL(url), layout: .minute)
            try await CountStoreSuite(store: store).theHigherOffsetWins()
            let isEncrypted = try await store.run { connection throws(PostgreSQLFailure) in
                try connection.run("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").integer(0, 0)
            }
            #expect(isEncrypted == 1)
            await store.close()
        }
    }

    @Test(
        "whom nobody trusts is told nothing, and the error says why, without the password",
        arguments: [
            ("server", "stranger", "certificate verify failed"), ("server", "absent", "does not exist"),
            ("elsewhere", "root", "does not match host name \"127.0.0.1\""),
        ])
    func untrusted(certificate: String, root: String, reason: String) async throws {
        try await withServer(certificate) { server, certificates in
            let url = "\(server.url)?sslmode=verify-full&sslrootcert=\(certificates.file(root + ".pem"))"
            let store = PostgreSQLStore(url: try PostgreSQLURL(url), layout: .minute)
            let error = await #expect(throws: StoreError.self) { try await store.banners() }
            await store.close()
            guard case .unavailable(let text)? = error else {
                Issue.record("not unavailable: \(String(describing: error))")
                return
            }
            #expect(text.hasPrefix("the store \(server.name) does not answer: ") && text.contains(reason), "\(text)")
            #expect(!text.contains("tally-test-secret") && !text.contains("sslrootcert"), "\(text)")
        }
    }

    /// - Parameter certificate: which one the server shows.
    private func withServer(
        _ certificate: String, _ body: (PostgreSQLServer, TestCertificates) async throws -> Void
    ) async throws {
        try await withSandbox { sandbox in
            let certificates = try await TestCertificates(in: sandbox)
            let files = [certificates.file(certificate + ".pem"), certificates.file(certificate + ".key")]
            let server = try PostgreSQLServer(in: sandbox, certificate: files)
            try await server.start()
            try await body(server, certificates)
        }
    }
}

#endif
