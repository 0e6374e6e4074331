// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPTypes
import Testing

@testable import TallyServer

struct DashboardTests {
    private static let browser: HTTPFields = [.accept: "text/html,application/xhtml+xml;q=0.9"]

    @Test func `a browser gets the page, and others a text`() async throws {
        let test = HTTPTest()
        let page = try await test.get("/", headers: Self.browser)
        #expect(page.type == "text/html; charset=utf-8")
        #expect(page.text.hasPrefix("<!doctype html>"))
        #expect(page.headers[.vary] == "Accept")
        #expect(try await test.get("/").type == "text/plain; charset=utf-8")
        #expect(try await test.send(.head, "/", headers: Self.browser).bytes.isEmpty)
    }

    @Test func `the policy lets nothing in but what this server sends`() async throws {
        let policy = try await HTTPTest().get("/", headers: Self.browser).headers[.contentSecurityPolicy] ?? ""
        let parts = policy.split(separator: ";").map { $0.trimmingCharacters(in: .whitespaces) }
        #expect(parts.contains("default-src 'none'") && parts.contains("script-src 'self'"))
        #expect(parts.contains("frame-ancestors 'none'"))
        #expect(!policy.contains("unsafe"))
        let elsewhere = parts.flatMap { $0.split(separator: " ").dropFirst() }.filter {
            !["'none'", "'self'", "data:"].contains($0)
        }
        #expect(elsewhere.isEmpty)
    }

    /// What the page and its parts name is there, and what is there is named.
    @Test func `every part is served, and asked for by name`() async throws {
        let test = HTTPTest()
        var named: Set<String> = []
        let texts =
            [try await test.get("/", headers: Self.browser).text]
            + (DashboardFile.parts.values.map { String(decoding: $0.bytes, as: UTF8.self) })
        for name in DashboardFile.parts.keys {
            let answer = try await test.get("/dashboard/\(name)")
            #expect(answer.status == 200, "\(name)")
            #expect(answer.type == (name.hasSuffix(".css") ? "text/css" : "text/javascript") + "; charset=utf-8")
            let isLoadedByName = ["en.js", "ru.js", "overview.js", "banner.js", "banners.js", "system.js"].contains(
                name)
            if isLoadedByName || texts.contains(where: { $0.contains("/\(name)\"") }) { named.insert(name) }
        }
        #expect(named == Set(DashboardFile.parts.keys))
        #expect(try await test.get("/dashboard/other.js").status == 404)
        #expect(try await test.get("/dashboard/..%2Fopenapi.json").status == 404)
    }

    @Test func `what a browser has is not sent again`() async throws {
        let test = HTTPTest()
        let tag = try #require(try await test.get("/dashboard/app.js").headers[.eTag])
        let again = try await test.get("/dashboard/app.js", headers: [.ifNoneMatch: "\"x\", \(tag)"])
        #expect(again.status == 304)
        #expect(again.bytes.isEmpty)
        #expect(try await test.get("/dashboard/app.js", headers: [.ifNoneMatch: "\"x\""]).status == 200)
    }

    @Test func `everything together is small`() {
        let words = ["en.js", "ru.js"]
        let heavier = words.compactMap { DashboardFile.parts[$0]?.bytes.count }.max() ?? 0
        let rest = DashboardFile.parts.filter { !words.contains($0.key) }.values.reduce(0) { $0 + $1.bytes.count }
        #expect(DashboardFile.page.bytes.count + rest + heavier < 60_000)
        #expect(DashboardFile.script.bytes.count < 2_000)
    }

    @Test func `both languages have the same words`() throws {
        func words(_ name: String) throws -> Set<String> {
            let text = String(decoding: try #require(DashboardFile.parts[name]).bytes, as: UTF8.self)
            return Set(text.matches(of: /(?:^|[{,]\s*|\n)([a-zA-Z]\w*):\s*"/).map { String($0.output.1) })
        }
        let english = try words("en.js")
        #expect(english.count > 90)
        #expect(try words("ru.js") == english)
    }

    /// What would be changed in a text must not stand in one.
    @Test func `no text in a script has spaces around an operator`() throws {
        for (name, file) in DashboardFile.parts where name.hasSuffix(".js") {
            let text = String(decoding: file.bytes, as: UTF8.self)
            #expect(text == DashboardText.squeezedScript(text), "\(name): squeezing twice changes nothing more")
        }
        for bytes in [PackageResources.en_js, PackageResources.ru_js] {
            let text = String(decoding: bytes, as: UTF8.self)
            let words = DashboardText.lineEnds.reduce(DashboardText.squeezed(text)) { words, end in
                words.replacing(end, with: end.filter { $0 != "\n" })
            }
            #expect(words.replacing(": \"", with: ":\"") == DashboardText.squeezedScript(text))
        }
    }

    @Test func `the page script may be loaded from anywhere`() async throws {
        let answer = try await HTTPTest().get("/tally.js")
        #expect(answer.headers[.accessControlAllowOrigin] == "*")
        #expect(answer.text.contains("v1/beacon/"))
    }

    @Test func `comments and indentation are not sent, and text is left alone`() {
        let source = "// a\n\n  let a = \"// b  c\";  \n/* d */\n    f(); // e\n"
        #expect(DashboardText.squeezed(source) == "let a = \"// b  c\";\nf(); // e")
        #expect(
            DashboardText.squeezedScript("  f(a => { return a === 1 && b; }); // e\n")
                == "f(a=>{return a===1&&b;}); // e")
        let style = "/* a */\na { b: c; d: e,\n f }\n@media (x: 1) {\n  g > h { i: 1px 2px; }\n}\n"
        #expect(DashboardText.squeezedStyle(style) == "a{b:c;d:e,f}@media (x:1){g > h{i:1px 2px;}}")
    }
}
