// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOCore
import TallyCore
import Testing

@testable import TallyBackends

@Suite("A ClickHouse that goes away and comes back", .serialized, .timeLimit(.minutes(5)))
struct ClickHouseOutageTests {
    @Test("killed between any two statements, it has what it acknowledged", arguments: ClickHouseTestServer.allCases)
    func killedBetweenStatements(_ kind: ClickHouseTestServer) async throws {
        try await kind.withServer { _, server in
            let store = ClickHouseStore(try server.url, layout: .hour)
            for statement in try await store.missingMigrations() {
                _ = try await store.client.run(.definition(statement))
                try await server.killAndStart()
            }
            let reference = MemoryStore(layout: .hour)
            for upTo in Int64(1)...3 {
                let rows = (1...100).map { StoreTest.row($0, minute: upTo, count: upTo, upTo: upTo, .hour) }
                try await store.merge(rows, of: StoreTest.log)
                try await server.killAndStart()
                try await store.save(StoreTest.checkpoint(upTo: upTo), of: StoreTest.log)
                try await server.killAndStart()
                try await store.save([Banner(id: StoreTest.banner(upTo), name: "banner \(upTo)")])
                try await server.killAndStart()
                try await reference.merge(rows, of: StoreTest.log)
                #expect(try await Set(store.rows(in: .everything)) == Set(reference.rows(in: .everything)))
                #expect(try await store.checkpoint(of: StoreTest.log) == StoreTest.checkpoint(upTo: upTo))
                #expect(try await store.banners().count == Int(upTo))
            }
            try await store.close()
        }
    }

    @Test(
        "killed in the middle of a flush, it has all after the flush was done again",
        arguments: ClickHouseTestServer.allCases)
    func killedInAFlush(_ kind: ClickHouseTestServer) async throws {
        try await kind.withServer { _, server in
            let store = ClickHouseStore(try server.url, layout: .minute)
            let rows = (1...Int64(300_000)).map { StoreTest.row($0, minute: 0, count: 1, upTo: 1, .minute) }
            try await store.prepare()
            let flush = Task { try await store.merge(rows, of: StoreTest.log) }
            try await eventually("some rows are there", every: .zero) {
                let count = try await store.client.run(.definition("SELECT count() FROM tally_counts"))
                return String(buffer: count) != "0\n"
            }
            try await server.kill()
            await #expect(throws: StoreError.self) { try await flush.value }
            try await server.start()
            let stored = try await store.totals(in: .everything, with: []).count
            #expect((1..<rows.count).contains(stored), "the kill came too late, or nothing was kept: \(stored)")
            try await store.merge(rows, of: StoreTest.log)
            #expect(try await store.totals(in: .everything, with: []).count == rows.count)
            try await store.close()
        }
    }

    @Test("paused, it keeps nobody waiting for ever", arguments: ClickHouseTestServer.allCases)
    func paused(_ kind: ClickHouseTestServer) async throws {
        try await kind.withServer { _, server in
            let store = ClickHouseStore(try server.url, layout: .minute, timeout: .milliseconds(300))
            let patient = ClickHouseStore(try server.url, layout: .minute)
            try await patient.prepare()
            server.process.signal(SIGSTOP)
            let error = await #expect(throws: StoreError.self) { try await store.banners() }
            #expect(error?.description.hasSuffix("did not answer within 0.3 s") == true, "\(String(describing: error))")
            server.process.signal(SIGCONT)
            #expect(try await patient.banners().isEmpty)
            try await store.close()
            try await patient.close()
        }
    }

    @Test("nobody there, a wrong password and no such database are told apart, without the password")
    func reasons() async throws {
        let server = ClickHouseTestServer.old
        let address = try server.address()
        let port = try Sandbox.freePorts(1)[0]
        try await expectUnavailable("clickhouse://tally:topsecret@127.0.0.1:\(port)/default", "can't be reached")
        let wrong = address.replacing("tally-test-secret", with: "topsecret")
        try await expectUnavailable(wrong, "Wrong password")
        try await expectUnavailable(
            ClickHouseTestServer.address(address, database: "no_such_database"), "no_such_database doesn't exist")
    }

    private func expectUnavailable(_ address: String, _ reason: String) async throws {
        let store = ClickHouseStore(try ClickHouseURL(address), layout: .minute)
        let error = await #expect(throws: StoreError.self) { try await store.banners() }
        try await store.close()
        guard case .unavailable(let text)? = error else {
            Issue.record("not unavailable: \(String(describing: error))")
            return
        }
        #expect(text.contains(reason) && text.contains("the store at clickhouse://127.0.0.1:"), "\(text)")
        #expect(!text.contains("topsecret") && !text.contains("tally-test-secret"), "\(text)")
    }
}
