// SPDX-License-Identifier: Apache-2.0

#if PostgreSQL

import TallyCore
import Testing

@testable import TallyBackends

@Suite("The tables of PostgreSQL", .needsPostgreSQL)
struct PostgreSQLSchemaTests {
    @Test("two nodes may start at once", arguments: Layout.allCases)
    func twoNodesAtOnce(layout: Layout) async throws {
        try await PostgreSQLTestSchema.use { schema in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    let store = PostgreSQLStore(url: schema.url, layout: layout)
                    group.addTask {
                        let logs = try await store.logs()
                        #expect(logs.isEmpty)
                        await store.close()
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await schema.texts("SELECT value FROM tally_meta WHERE name = 'schema_version'") == [["3"]])
            let found = try await PostgreSQLStore.layout(at: schema.url)
            #expect(found == layout)
        }
    }

    @Test("a store that isn't there yet has no layout, and is not made by asking")
    func noLayout() async throws {
        try await PostgreSQLTestSchema.use { schema in
            for _ in 0..<2 {
                let layout = try await PostgreSQLStore.layout(at: schema.url)
                #expect(layout == nil)
            }
        }
    }

    @Test("the other layout is refused, with what to do")
    func otherLayout() async throws {
        try await PostgreSQLTestSchema.use { schema in
            _ = try await PostgreSQLStore(url: schema.url, layout: .minute).logs()
            await #expect {
                _ = try await PostgreSQLStore(url: schema.url, layout: .hour).banners()
            } throws: { error in
                guard case StoreError.damaged(let text) = error else { return false }
                return text.contains("--layout minute") && text.contains("tally store copy")
            }
        }
    }

    @Test("tables of a newer tally are refused, and stay as they are")
    func newerSchema() async throws {
        try await PostgreSQLTestSchema.use { schema in
            _ = try await PostgreSQLStore(url: schema.url, layout: .minute).logs()
            try await schema.run("UPDATE tally_meta SET value = '99' WHERE name = 'schema_version'")
            await #expect {
                _ = try await PostgreSQLStore(url: schema.url, layout: .minute).banners()
            } throws: { error in
                guard case StoreError.damaged(let text) = error else { return false }
                return text.contains("99") && text.contains("newer tally")
            }
            #expect(try await schema.texts("SELECT value FROM tally_meta WHERE name = 'schema_version'") == [["99"]])
        }
    }

    @Test(
        "a role that may make nothing can use tables that an administrator made from the printed SQL",
        arguments: Layout.allCases)
    func roleWithoutRights(layout: Layout) async throws {
        try await PostgreSQLTestSchema.use { schema in
            let role = "role_\(schema.name)"
            try await schema.run(
                "CREATE ROLE \(role) LOGIN PASSWORD 'other-secret'; GRANT USAGE ON SCHEMA \(schema.name) TO \(role)")
            let url = try PostgreSQLURL(schema.url.text.replacing(/\/\/.*@/, with: "//\(role):other-secret@"))
            let store = PostgreSQLStore(url: url, layout: layout)
            await #expect {
                try await store.logs()
            } throws: { error in
                guard case StoreError.unavailable(let text) = error else { return false }
                return text.contains("permission denied") && !text.contains("other-secret")
            }
            try await schema.run(PostgreSQLSchema(layout: layout).script)
            try await schema.run(
                "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA \(schema.name) TO \(role)")
            let row = StoreTest.row(1, minute: 0, count: 5, upTo: 1, layout)
            try await store.merge([row], of: StoreTest.log)
            try await store.save(StoreTest.checkpoint(upTo: 1), of: StoreTest.log)
            try await store.save([Banner(id: StoreTest.banner(1), name: "a", isRegistered: true)])
            #expect(try await store.rows(in: .everything).map(\.row) == [row])
            await store.close()
            try await schema.run("DROP OWNED BY \(role); DROP ROLE \(role)")
        }
    }

    @Test("the view has the plain numbers, whatever the session's time zone is", arguments: Layout.allCases)
    func view(layout: Layout) async throws {
        try await PostgreSQLTestSchema.use { schema in
            let store = PostgreSQLStore(url: schema.url, layout: layout)
            let kind = Kind("add_to_cart_2")!
            for log in StoreTest.logs.prefix(2) {
                try await store.merge([StoreTest.row(7, kind, minute: 64, count: 3, upTo: 1, layout)], of: log)
                try await store.merge([StoreTest.row(7, minute: 64, count: .max, upTo: 1, layout)], of: log)
            }
            let seen = try await schema.texts(
                """
                SELECT banner_id, kind, extract(epoch FROM minute_timestamp)::bigint AS seconds, count FROM tally_minutes
                ORDER BY kind COLLATE "C"
                """)
            let seconds = String(StoreTest.minute(64).unixSeconds)
            #expect(
                seen == [
                    ["7", "add_to_cart_2", seconds, "6"], ["7", "click", seconds, "9223372036854775807"],
                ])
            let zone = try await schema.texts("SELECT current_setting('TimeZone') AS zone")
            #expect(zone == [["Asia/Kathmandu"]], "the server of the tests is not in UTC")
            await store.close()
        }
    }

    @Test("invalid events stand beside what was sent, and nowhere else", arguments: Layout.allCases)
    func traffic(layout: Layout) async throws {
        try await PostgreSQLTestSchema.use { schema in
            let store = PostgreSQLStore(url: schema.url, layout: layout)
            for log in StoreTest.logs.prefix(2) {
                try await store.merge(
                    [
                        StoreTest.row(7, minute: 64, count: 7, upTo: 1, layout),
                        StoreTest.row(7, Kind.click.invalid(.bot), minute: 64, count: 2, upTo: 1, layout),
                        StoreTest.row(7, Kind.click.invalid(.burst), minute: 64, count: 1, upTo: 1, layout),
                        StoreTest.row(8, .impression, minute: 64, count: .max, upTo: 1, layout),
                    ], of: log)
            }
            let seen = try await schema.texts(
                "SELECT banner_id, kind, gross, net, bot, burst FROM tally_traffic ORDER BY banner_id")
            let full = "9223372036854775807"
            #expect(seen == [["7", "click", "14", "8", "4", "2"], ["8", "impression", full, full, "0", "0"]])
            let kinds = try await schema.texts("SELECT DISTINCT kind FROM tally_minutes ORDER BY kind")
            #expect(kinds == [["click"], ["impression"]])
            await store.close()
        }
    }

    @Test("minutes after 2100 are kept", arguments: Layout.allCases)
    func farFuture(layout: Layout) async throws {
        try await PostgreSQLTestSchema.use { schema in
            let store = PostgreSQLStore(url: schema.url, layout: layout)
            let minute = Minute(unixSeconds: 4_133_980_800)!
            let row = Row(
                key: RowKey(banner: StoreTest.banner(.max), kind: .click, start: minute),
                counts: {
                    var counts = RowCounts.zero(layout)
                    counts[0] = 9
                    return counts
                }(), upTo: LogOffset(1))
            try await store.merge([row], of: StoreTest.log)
            #expect(try await store.rows(of: StoreTest.log, at: [row.key]) == [row])
            let text = try await schema.texts(
                "SELECT (minute_timestamp AT TIME ZONE 'UTC')::text AS at FROM tally_minutes")
            #expect(text == [["01.01.2101 00:00:00"]])
            await store.close()
        }
    }
}

#endif
