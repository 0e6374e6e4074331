// SPDX-License-Identifier: Apache-2.0

import Testing

@Suite("The sources keep to their rules")
struct TidyTests {
    @Test("every source keeps to the rule", arguments: TidyRule.all)
    func everySourceKeepsTo(_ rule: TidyRule) throws {
        let files = try SourceFile.ofThisProject.get()
        try #require(files.contains { $0.target == "TallyCore" }, "the sources are not there")
        let violations = files.flatMap(rule.check)
        #expect(violations.isEmpty, "\(violations.map(\.description).joined(separator: "\n"))")
    }

    @Test(
        "what the core must not do is found",
        arguments: [
            "let now = Date()", "let now = ContinuousClock.now", "var generator = SystemRandomNumberGenerator()",
            "let die = Int.random(in: 1...6)", "names.shuffled()", "let id = UUID()", "Task { work() }",
            "Task.detached { work() }", "try await Task.sleep(for: .seconds(1))", "async let answer = ask()",
            "await withTaskGroup(of: Void.self) { group in", #"let text = "at \(Date())""#,
        ])
    func deterministicCoreFinds(line: String) {
        #expect(lines(of: .deterministicCore, in: "let a = 1\n\(line)\n", target: "TallyCore") == [2])
        #expect(lines(of: .deterministicCore, in: line, target: "TallyServer") == [])
    }

    @Test(
        "what the core may do is not reported",
        arguments: [
            "// Date() is banned", "/* Task { } /* UUID() */ Date() */", #"let text = "Date()""#,
            "let date = LaunchDate()",
            "let die = Int.random(in: 1...6, using: &generator)", "let subtask = Subtask()",
            ##"let raw = #"\(Date()) " Task { "#"##,
        ])
    func deterministicCoreAllows(line: String) {
        #expect(lines(of: .deterministicCore, in: line, target: "TallyCore") == [])
    }

    @Test(
        "an import of the outside world is found",
        arguments: [
            "import Foundation", "package import NIOCore", "import Dispatch", "import struct Foundation.Date",
            "import CZlib",
            "import FoundationEssentials", "import Glibc",
        ])
    func coreImportsFinds(line: String) {
        #expect(lines(of: .coreImports, in: line, target: "TallyCore") == [1])
        #expect(lines(of: .coreImports, in: line, target: "TallyBackends") == [])
    }

    @Test("the core may import what decides nothing", arguments: ["import Crypto", "import Synchronization"])
    func coreImportsAllows(line: String) {
        #expect(lines(of: .coreImports, in: line, target: "TallyCore") == [])
    }

    @Test("a C library is imported by the backends, by gzip and by the command alone")
    func systemLibraries() {
        #expect(lines(of: .systemLibraries, in: "import CZlib", target: "TallyServer") == [1])
        #expect(lines(of: .systemLibraries, in: "import CZlib", target: "TallyBackends") == [])
        #expect(lines(of: .systemLibraries, in: "import CZlib", target: "TallyGzip") == [])
        #expect(lines(of: .systemLibraries, in: "import CZlib", target: "tally") == [])
    }

    @Test("a file of 500 lines is allowed and one of 501 is not")
    func fileLength() {
        #expect(lines(of: .fileLength, in: String(repeating: "\n", count: 500)) == [])
        #expect(lines(of: .fileLength, in: String(repeating: "\n", count: 501)) == [501])
    }

    @Test("a function of 70 lines is allowed and one of 71 is not")
    func functionLength() {
        func function(lineCount: Int) -> String {
            "struct A {\n    func long(\n        name: String\n    ) {\n"
                + String(repeating: "        if true { work() }\n", count: lineCount - 4) + "    }\n}\n"
        }
        #expect(lines(of: .functionLength, in: function(lineCount: 70)) == [])
        #expect(lines(of: .functionLength, in: function(lineCount: 71)) == [2])
    }

    @Test("functions are told from requirements, nested functions and calls")
    func functionsAreFound() {
        let text = """
            protocol Log {
                func append(_ chunk: Chunk) throws(LogError)
                var end: Int { get }
            }
            struct Memory {
                init(_ action: () -> Void = {}) {
                    self = .init()
                }
                func outer()
                    async throws
                {
                    func inner() { work() }
                    names.map { $0 }
                }
            }
            """
        let file = SourceFile(path: "Sources/TallyCore/A.swift", text: text)
        let found = FunctionFinder.functions(in: file).map { [$0.line, $0.lineCount] }
        #expect(found == [[6, 3], [9, 6], [12, 1]])
    }

    @Test("a file without its licence is found, and a manifest may say its tools first")
    func licence() {
        let spdx = "// SPDX-License-Identifier: Apache-2.0\n\n"
        #expect(lines(of: .licence, in: "import Testing\n") == [1])
        #expect(lines(of: .licence, in: spdx + "import Testing\n") == [])
        #expect(lines(of: .licence, in: "// swift-tools-version: 6.2\n" + spdx) == [])
    }

    @Test("what is left to do is found, in comments too")
    func unfinished() {
        #expect(lines(of: .unfinished, in: "let a = 1\n// TO" + "DO: more\n") == [2])
        #expect(lines(of: .unfinished, in: "// All is done.\n") == [])
    }

    private func lines(of rule: TidyRule, in text: String, target: String = "TallyCore") -> [Int] {
        rule.check(SourceFile(path: "Sources/\(target)/A.swift", text: text)).map(\.line)
    }
}
