// SPDX-License-Identifier: Apache-2.0

import Foundation
import TallyCore
import Testing

@testable import TallyBackends

@Suite("ClickHouse over TLS", .timeLimit(.minutes(5)))
struct ClickHouseTLSTests {
    @Test("a certificate whose root is named is trusted")
    func trusted() async throws {
        try await withServer("server") { server in
            let store = try server.store(root: "root")
            try await CountStoreSuite(store: store).theHigherOffsetWins()
            try await store.close()
        }
    }

    @Test("whom nobody trusts is told nothing, and the error says why, without the password")
    func untrusted() async throws {
        try await withServer("server") { server in
            for root in [nil, "stranger"] {
                try await server.expectRefusal(root: root, "its certificate is signed by nobody who is trusted by ")
            }
            try await server.expectRefusal(root: "absent", "no certificates can be read from ")
        }
    }

    @Test("a certificate of another host is not taken")
    func otherHost() async throws {
        try await withServer("elsewhere") { server in
            try await server.expectRefusal(root: "root", "its certificate is not for 127.0.0.1")
        }
    }

    @Test("a server without TLS is not taken for one that has it")
    func withoutTLS() async throws {
        let plain = try ClickHouseURL(try ClickHouseTestServer.old.address())
        let url = try ClickHouseURL("clickhouses://tally:tally-test-secret@\(plain.host):\(plain.port)/default")
        try await expectRefusal(url, "it does not speak TLS; clickhouse:// is without")
    }

    private struct Server {
        let certificates: TestCertificates
        let port: Int

        func url(root: String?) throws -> ClickHouseURL {
            let trust = root.map { "?ca=\(certificates.file($0 + ".pem"))" } ?? ""
            return try ClickHouseURL("clickhouses://tally:tally-test-secret@127.0.0.1:\(port)/default\(trust)")
        }

        func store(root: String?) throws -> ClickHouseStore { ClickHouseStore(try url(root: root), layout: .minute) }

        func expectRefusal(root: String?, _ reason: String) async throws {
            try await ClickHouseTLSTests().expectRefusal(url(root: root), reason)
        }
    }

    private func expectRefusal(_ url: ClickHouseURL, _ reason: String) async throws {
        let store = ClickHouseStore(url, layout: .minute)
        let error = await #expect(throws: StoreError.self) { try await store.banners() }
        try await store.close()
        let text = "\(error.map(\.description) ?? "")"
        #expect(
            text.hasPrefix("the store at clickhouses://127.0.0.1:\(url.port)/default can't be reached: "), "\(text)")
        #expect(text.contains(reason), "\(text)")
        #expect(!text.contains("tally-test-secret"))
    }

    /// - Parameter certificate: which one the server shows.
    private func withServer(_ certificate: String, _ body: (Server) async throws -> Void) async throws {
        _ = try ClickHouseTestServer.old.address()
        try await withSandbox { sandbox in
            let certificates = try await TestCertificates(in: sandbox)
            let server = Server(certificates: certificates, port: try Sandbox.freePorts(1)[0])
            let directory = sandbox.directory.appending("server")
            let process = try sandbox.startService(
                "clickhouse", in: directory, port: server.port,
                [certificates.file(certificate + ".pem"), certificates.file(certificate + ".key")], verb: "run-tls")
            try await sandbox.waitForService("clickhouse", process, in: directory, port: server.port)
            try await body(server)
        }
    }
}
