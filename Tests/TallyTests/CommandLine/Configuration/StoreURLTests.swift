// SPDX-License-Identifier: Apache-2.0

import TallyBackends
import Testing

@testable import tally

@Suite("The address of a store")
struct StoreURLTests {
    private func refusal(of text: String) -> SettingRefusal? {
        do throws(SettingRefusal) {
            _ = try StoreURL(text: text)
            return nil
        } catch { return error }
    }

    @Test func sqliteIsAPath() throws {
        #expect(try StoreURL(text: "sqlite:/a b/c:d") == .sqlite(path: "/a b/c:d"))
        for text in ["sqlite:", "sqlite:a\0b", "sqlite", "papyrus:x", "", ":"] {
            #expect(refusal(of: text) == .notAllowed, "\(text)")
        }
    }

    @Test func clickHouseHasItsParts() throws {
        guard case .clickHouse(let url) = try StoreURL(text: "clickhouse://me:s%40crt@[::1]:81/counts?cluster=c1")
        else {
            Issue.record("it is no ClickHouse")
            return
        }
        #expect(!url.isSecure && url.host.contains("::1") && url.port == 81 && url.user == "me")
        #expect(url.password == "s@crt" && url.database == "counts" && url.cluster == "c1")
        #expect("\(url)" == "clickhouse://[::1]:81/counts")
        let plain = try ClickHouseURL("clickhouses://db.example")
        #expect(plain.isSecure && plain.port == 8_443 && plain.user == "default" && plain.password.isEmpty)
        #expect(plain.database == "default" && plain.cluster == nil && plain.certificateAuthority == nil)
        let own = try ClickHouseURL("clickhouses://db.example/d?ca=/etc/own%20root.pem&cluster=c")
        #expect(own.certificateAuthority == "/etc/own root.pem" && own.cluster == "c")
        #expect("\(own)" == "clickhouses://db.example:8443/d")
        #expect(try ClickHouseURL("clickhouse://db.example").port == 8_123)
    }

    @Test(
        "what is no address of ClickHouse is refused, and not repeated",
        arguments: [
            "clickhouse://", "clickhouse://h/a-b", "clickhouse://h/1a", "clickhouse://h?shard=1",
            "clickhouse://h?cluster=a&cluster=b", "clickhouse://h?cluster=", "clickhouse://h:70000", "clickhouse://h#x",
            "clickhouse://h?ca=/x", "clickhouses://h?ca=", "clickhouses://h?ca=/x&ca=/y",
            "clickhouse://u:s3cret@h/a/b", "clickhouse://u:s3cret@h/a b",
        ])
    func clickHouseRefuses(text: String) throws {
        guard case .because(let reason) = refusal(of: text) else {
            Issue.record("\(text) is allowed, or not explained")
            return
        }
        #expect(!reason.contains("s3cret"))
    }

    @Test func noPasswordIsEverShown() throws {
        var urls = [try StoreURL(text: "clickhouse://me:s3cret@h/d")]
        #if PostgreSQL
        urls.append(try StoreURL(text: "postgres://me:s3cret@h/d?sslpassword=s3cret"))
        #endif
        for url in urls {
            for shown in [
                "\(url)", String(reflecting: url), String(describing: [url]), String(reflecting: [url as Any]),
            ] {
                #expect(!shown.contains("s3cret") && !shown.contains("me:"), "\(shown)")
            }
            var text = ""
            dump(url, to: &text)
            #expect(!text.contains("s3cret"), "\(text)")
        }
    }

    #if PostgreSQL
    @Test func postgreSQLIsReadAsLibpqDoes() throws {
        #expect(
            "\(try StoreURL(text: "postgres://me:x@db.example:5433/counts?sslmode=require"))"
                == "postgres://db.example:5433/counts")
        #expect("\(try StoreURL(text: "postgresql://a,b:2/c"))" == "postgres://a,b:,2/c")
        #expect("\(try StoreURL(text: "postgres:///c?host=/run/pg&port=7"))" == "postgres:///c?host=/run/pg&port=7")
    }

    @Test(
        "what libpq can't read is refused, and not repeated",
        arguments: [
            "postgres://u:s3cret/x@h/d", "postgres://u:1/s3cret@h/d", "postgres://u:s3cret%zz@h/d",
            "postgres://h/d?s3cret=1", "postgres:s3cret",
        ])
    func postgreSQLRefuses(text: String) throws {
        guard case .because(let reason) = refusal(of: text) else {
            Issue.record("\(text) is allowed, or not explained")
            return
        }
        #expect(!reason.contains("s3cret"))
    }
    #else
    @Test func postgreSQLSaysHowToBuildWithIt() {
        guard case .because(let reason)? = refusal(of: "postgres://h/d") else {
            Issue.record("it is allowed, or not explained")
            return
        }
        #expect(reason.contains("--traits PostgreSQL"))
    }
    #endif
}
