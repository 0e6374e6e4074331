// SPDX-License-Identifier: Apache-2.0

import Testing

/// Something every file keeps to and the compiler doesn't know.
struct TidyRule: Sendable, CustomTestStringConvertible {
    struct Violation: Equatable, CustomStringConvertible {
        let path: String
        /// From 1.
        let line: Int
        let message: String

        var description: String { "\(path):\(line): \(message)" }
    }

    let name: String
    let check: @Sendable (SourceFile) -> [Violation]

    var testDescription: String { name }

    static let all = [
        deterministicCore, coreImports, systemLibraries, fileLength, functionLength, licence, unfinished,
    ]
}

extension TidyRule {
    /// The simulation repeats a run from its seed alone. Whatever else decides breaks that.
    static let deterministicCore = TidyRule(name: "the core has no clock, chance or task of its own") { file in
        guard file.target == "TallyCore" else { return [] }
        let banned = [
            #"\bDate\s*\("#: "reads the clock; take a `Timestamp`",
            #"\b(ContinuousClock|SuspendingClock|DispatchTime|clock_gettime)\b"#: "reads a clock; take a `Timestamp`",
            #"\bSystemRandomNumberGenerator\b"#: "is chance; take a generator",
            #"\.(random|randomElement|shuffled|shuffle)\s*\((?![^)]*using:)"#: "is chance; pass `using:` a generator",
            #"\bUUID\s*\("#: "is chance; take an id",
            #"\bTask(\.(detached|immediate|init))?\s*[({]"#: "starts a task; let the shell do so",
            #"\bwith\w*TaskGroup\b|\basync\s+let\b"#: "starts tasks; let the shell do so",
            #"\bTask\.(sleep|yield)\b"#: "waits; return what to do at which time",
        ]
        return violations(in: file, of: banned)
    }

    static let coreImports = TidyRule(name: "the core does without the outside world") { file in
        guard file.target == "TallyCore" else { return [] }
        let banned = #"\bimport\s+(\w+\s+)?(Foundation\w*|NIO\w*|Dispatch|Glibc|Musl|Darwin|C[A-Z]\w*)\b"#
        return violations(in: file, of: [banned: "is no import for TallyCore"])
    }

    static let systemLibraries = TidyRule(name: "C libraries are imported where they belong") {
        file in
        guard file.path.hasPrefix("Sources/"), !["TallyBackends", "TallyGzip", "tally"].contains(file.target) else {
            return []
        }
        let banned = #"\bimport\s+(\w+\s+)?C[A-Z]\w*\b"#
        return violations(in: file, of: [banned: "imports a C library outside of TallyBackends, TallyGzip and tally"])
    }

    static let fileLength = TidyRule(name: "a file fits into 500 lines") { file in
        guard file.lines.count > 501 else { return [] }  // The last one is what follows the last line feed: nothing.
        return [Violation(path: file.path, line: 501, message: "the file has \(file.lines.count - 1) lines")]
    }

    static let functionLength = TidyRule(name: "a function fits into 70 lines") { file in
        FunctionFinder.functions(in: file).filter { $0.lineCount > 70 }.map {
            Violation(path: file.path, line: $0.line, message: "the function has \($0.lineCount) lines")
        }
    }

    static let licence = TidyRule(name: "a file begins with its licence") { file in
        let spdx = "// SPDX-License-Identifier: Apache-2.0"
        let isManifest = file.lines.first?.hasPrefix("// swift-tools-version") == true
        let lines = file.lines.dropFirst(isManifest ? 1 : 0).prefix(2)
        guard !lines.elementsEqual([Substring(spdx), ""]) else { return [] }
        return [Violation(path: file.path, line: 1, message: "begin with `\(spdx)` and an empty line")]
    }

    static let unfinished = TidyRule(name: "nothing is left to do") { file in
        // In two parts, so that this file keeps to its own rule.
        let words = ["TO" + "DO", "FIX" + "ME"]
        return file.lines.enumerated().flatMap { number, line in
            words.filter { line.contains($0) }.map {
                Violation(path: file.path, line: number + 1, message: "says \($0)")
            }
        }
    }

    /// - Parameter banned: why not, by regular expression. Each line of code is searched for each.
    private static func violations(in file: SourceFile, of banned: [String: String]) -> [Violation] {
        banned.sorted { $0.key < $1.key }.flatMap { pattern, reason in
            // The patterns stand above: one that can't be read is a mistake in this file.
            let regex = try! Regex(pattern).wordBoundaryKind(.simple)
            return file.code.enumerated().compactMap { number, line in
                guard let match = line.firstMatch(of: regex) else { return nil as Violation? }
                return Violation(path: file.path, line: number + 1, message: "`\(line[match.range])` \(reason)")
            }
        }
    }
}
