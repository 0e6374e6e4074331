// SPDX-License-Identifier: Apache-2.0

import NIOCore
import TallyCore
import Testing

@testable import TallyBackends

@Suite("The schema of a store on ClickHouse", .timeLimit(.minutes(5)))
struct ClickHouseSchemaTests {
    @Test("it comes to be once, whoever asks first and how often", arguments: ClickHouseSubject.all)
    func manyAtOnce(_ subject: ClickHouseSubject) async throws {
        try await subject.server.withDatabase { url in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        try await subject.withStore(at: url) { store in
                            try await store.prepare()
                            try await store.merge(
                                [StoreTest.row(1, minute: 0, count: 1, upTo: 1, subject.layout)], of: StoreTest.log)
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await ClickHouseStore.layout(of: url) == subject.layout)
            let missing = try await subject.withStore(at: url) { try await $0.missingMigrations() }
            #expect(missing.isEmpty)
        }
    }

    @Test("of two layouts at once one wins, and the other is told", arguments: ClickHouseTestServer.allCases)
    func twoLayoutsAtOnce(_ server: ClickHouseTestServer) async throws {
        try await server.withDatabase { url in
            let failures = await withTaskGroup(of: StoreError?.self) { group in
                for layout in Layout.allCases {
                    group.addTask {
                        let store = ClickHouseStore(url, layout: layout)
                        var failure: StoreError?
                        do throws(StoreError) { try await store.prepare() } catch { failure = error }
                        try? await store.close()
                        return failure
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            let told = failures.compactMap { $0 }
            #expect(told.count == 1)
            #expect(told.first?.description.contains("has the layout") == true)
        }
    }

    @Test("the other layout is refused", arguments: ClickHouseSubject.all)
    func otherLayout(_ subject: ClickHouseSubject) async throws {
        try await subject.server.withDatabase { url in
            try await subject.withStore(at: url) { try await $0.prepare() }
            let other = ClickHouseSubject(server: subject.server, layout: subject.layout == .minute ? .hour : .minute)
            try await other.withStore(at: url) { store in
                let error = await #expect(throws: StoreError.self) { try await store.banners() }
                #expect(error?.description.contains("has the layout \(subject.layout), not \(other.layout)") == true)
                #expect(error?.description.contains("tally store copy") == true)
            }
        }
    }

    @Test("a schema of a newer tally is refused", arguments: ClickHouseTestServer.allCases)
    func newerSchema(_ server: ClickHouseTestServer) async throws {
        let subject = ClickHouseSubject(server: server, layout: .minute)
        try await server.withDatabase { url in
            try await subject.withStore(at: url) { store in
                try await store.prepare()
                _ = try await store.client.run(.definition("INSERT INTO tally_migrations (version) VALUES (99)"))
            }
            try await subject.withStore(at: url) { store in
                let error = await #expect(throws: StoreError.self) { try await store.prepare() }
                #expect(error?.description.contains("schema version 99, made by a newer tally") == true)
            }
        }
    }

    @Test("the printed statements make the schema, statement by statement", arguments: ClickHouseSubject.all)
    func printed(_ subject: ClickHouseSubject) async throws {
        try await subject.withStore { store in
            let statements = try await store.missingMigrations()
            #expect(statements.contains { $0.contains("CREATE VIEW") && $0.contains("tally_minutes") })
            // Twice each, as after a crash between two of them.
            for statement in statements { for _ in 1...2 { _ = try await store.client.run(.definition(statement)) } }
            #expect(try await store.missingMigrations().isEmpty)
            try await CountStoreSuite(store: store).theHigherOffsetWins()
        }
    }

    @Test("who may not change tables can count once they are there")
    func withoutRightsOnTables() async throws {
        let server = ClickHouseTestServer.old
        let subject = ClickHouseSubject(server: server, layout: .hour)
        try await server.withDatabase { url in
            let counting = try ClickHouseURL(
                ClickHouseTestServer.address(try server.address(), database: url.database, user: "counting"))
            try await subject.withStore(at: counting) { store in
                let error = await #expect(throws: StoreError.self) { try await store.prepare() }
                #expect(error?.description.contains("DDL") == true, "\(String(describing: error))")
            }
            try await subject.withStore(at: url) { try await $0.prepare() }
            try await subject.withStore(at: counting) { try await CountStoreSuite(store: $0).theHigherOffsetWins() }
        }
    }

    @Test("a server is asked nothing that it doesn't know")
    func features() throws {
        let old = try ClickHouseFeatures(version: "18.16.1", settings: ["insert_deduplicate"], tableSettings: [])
        #expect(!old.hasCodecs)
        #expect(old.insertSettings.map(\.name) == ["insert_deduplicate"])
        #expect(old.selectSettings.isEmpty)
        let modern = try ClickHouseFeatures(
            version: "26.9.2.1", settings: ["async_insert"], tableSettings: ["fsync_after_insert"])
        #expect(modern.hasCodecs)
        #expect(modern.insertSettings.map { "\($0.name)=\($0.value)" } == ["async_insert=0"])
        #expect(throws: ClickHouseDamage.self) {
            try ClickHouseFeatures(version: "PostgreSQL", settings: [], tableSettings: [])
        }
        for (features, isModern) in [(old, false), (modern, true)] {
            let sql = ClickHouseSchema(layout: .hour, database: "d", cluster: nil, features: features)
                .statements(after: 0).joined(separator: "\n")
            #expect(sql.contains("fsync_after_insert = 1") == isModern)
            #expect(sql.contains("CODEC") == isModern)
            #expect(!sql.contains("Replicated"))
        }
    }

    @Test("most replicas have to have a row, and who lags behind does not answer")
    func quorum() throws {
        let known: Set = ["insert_quorum", "insert_quorum_timeout", "select_sequential_consistency", "load_balancing"]
        func settings(_ replicas: Int, knows known: Set<String>) throws -> [String] {
            let quorum = ClickHouseFeatures.Quorum(of: replicas, patience: .seconds(2))
            let features = try ClickHouseFeatures(
                version: "18.16.1", settings: known, tableSettings: [], quorum: quorum)
            return (features.insertSettings + features.selectSettings).map { "\($0.name)=\($0.value)" }
        }
        #expect(try settings(1, knows: known).isEmpty)
        for (replicas, quorum) in [(2, 2), (3, 2), (5, 3)] {
            #expect(
                try settings(replicas, knows: known) == [
                    "insert_quorum=\(quorum)", "insert_quorum_timeout=2000", "load_balancing=in_order",
                    "select_sequential_consistency=1", "load_balancing=in_order",
                ])
        }
        let modern = try settings(3, knows: known.union(["insert_quorum_parallel"]))
        #expect(modern.contains("insert_quorum_parallel=0"))
    }

    @Test("in a cluster every table is replicated and distributed, and made everywhere")
    func cluster() {
        let statements = ClickHouseSchema(layout: .minute, database: "d", cluster: "c", features: .oldest)
            .statements(after: 0).filter { !$0.hasPrefix("INSERT") }
        #expect(statements.allSatisfy { $0.contains(" ON CLUSTER c") })
        let tables = ["tally_migrations", "tally_counts", "tally_checkpoints", "tally_banners"]
        for table in tables {
            #expect(statements.contains { $0.contains("'/clickhouse/tables/{shard}/d/\(table)', '{replica}'") })
            #expect(statements.contains { $0.contains("Distributed(c, d, \(table)_local, ") })
        }
    }

    @Test("a refusal is one line, without what the old server adds")
    func refusal() {
        let old = "Code: 60, e.displayText() = DB::Exception: Table d.t doesn't exist., e.what() = DB::Exception\nmore"
        let refusal = ClickHouseRefusal(status: 404, body: ByteBuffer(string: old))
        #expect(refusal.code == 60)
        #expect(refusal.reason == "Code: 60. DB::Exception: Table d.t doesn't exist.")
        #expect(ClickHouseRefusal(status: 502, body: ByteBuffer()).reason == "HTTP status 502 without a reason")
        let endless = ClickHouseRefusal(status: 500, body: ByteBuffer(string: String(repeating: "x", count: 10_000)))
        #expect(endless.reason.count == 400)
        #expect(endless.code == nil)
    }
}
