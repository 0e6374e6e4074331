// SPDX-License-Identifier: Apache-2.0

#if PostgreSQL

import Testing

extension EndToEndTests {
    @Suite("PostgreSQL from the command line", .needsPostgreSQL, .timeLimit(.minutes(5)))
    struct PostgreSQLCommandTests {
        @Test(
            "the SQL of the tables is printed without asking the server; migrating makes them",
            arguments: ["minute", "hour"])
        func migrate(layout: String) async throws {
            try await withSandbox { sandbox in
                let server = try PostgreSQLServer(in: sandbox)
                let migrate = ["store", "migrate", "--store", server.url, "--layout", layout]
                let printed = try await sandbox.run(arguments: migrate + ["--print"])
                #expect(printed.exit == .code(0) && printed.output.contains("CREATE TABLE tally_\(layout)_counts"))
                let refused = try await sandbox.run(arguments: migrate)
                #expect(refused.exit == .code(1) && refused.errors.contains(server.name), "\(refused.errors)")

                try await server.start()
                try await server.client.run("CREATE SCHEMA printed; SET search_path = printed; \(printed.output)")
                let made = try await sandbox.run(arguments: migrate)
                #expect(made.exit == .code(0) && made.output.contains(server.name), "\(made.errors)")
                let columns = """
                    SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns
                    WHERE table_schema = '%' AND table_name LIKE 'tally%' ORDER BY table_name, column_name
                    """
                let ours = try await server.client.texts(columns.replacing("%' AND", with: "public' AND"))
                let theirs = try await server.client.texts(columns.replacing("%' AND", with: "printed' AND"))
                #expect(ours.count > 20 && ours == theirs)
                for finished in [printed, refused, made] {
                    #expect(!(finished.output + finished.errors).contains("tally-test-secret"))
                }

                let other = layout == "minute" ? "hour" : "minute"
                let wrong = try await sandbox.run(
                    "serve", "--listen", "127.0.0.1:0", "--data", sandbox.data, "--store", server.url, "--layout", other
                )
                #expect(wrong.exit == .code(1) && wrong.errors.contains("--layout \(layout)"), "\(wrong.errors)")
            }
        }

        @Test("the password is in no configuration that is printed, and in no message")
        func secrets() async throws {
            try await withSandbox { sandbox in
                let url = "postgres://tally:s3cr/et@127.0.0.1:1/counts?sslpassword=s3cr/et"
                let plain = url.replacing("s3cr/et", with: "s3cret")
                for store in [url, plain] {
                    for arguments in [["serve", "--print-config"], ["store", "migrate"]] {
                        let finished = try await sandbox.run(arguments: arguments + ["--store", store])
                        #expect(!(finished.output + finished.errors).contains("s3cr"), "\(finished)")
                    }
                }
                let report = try await sandbox.run("serve", "--print-config", "--store", plain)
                #expect(report.output.contains("postgres://tally:***@127.0.0.1:1/counts?sslpassword=***"))
            }
        }
    }
}

#endif
