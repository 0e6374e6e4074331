// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import Testing

extension EndToEndTests {
    @Suite("Damage to the journal is survived where it may be, and told where it may not", .timeLimit(.minutes(5)))
    struct JournalDamageTests {
        @Test("a torn end of the newest segment is cut off", arguments: [1, 7, 24, 100, 5000])
        func tornEnd(byteCount: Int) async throws {
            try await withSandbox { sandbox in
                let first = try await sandbox.serve("--segment-size", "1MiB")
                try await first.client.click(7, times: 3)
                try await first.kill()

                let newest = try #require(try sandbox.segments().last)
                let end = try newest.endOfRecords()
                try newest.overwrite(at: end, with: (0..<byteCount).map { UInt8(truncatingIfNeeded: $0 * 37 + 1) })

                let second = try await sandbox.serve()
                #expect(try await second.client.total(of: 7) == 3)
                #expect(try await second.client.count(7).status == 204)
                try await second.kill()
                #expect(try await sandbox.serve().client.total(of: 7) == 4)
            }
        }

        enum Damage: CaseIterable {
            case flippedBit
            case cutShort
            case emptied
        }

        @Test(
            "a damaged older segment stops the start, with the place and the command that repairs it",
            arguments: Damage.allCases)
        func damagedOlderSegment(damage: Damage) async throws {
            try await withSandbox { sandbox in
                let counted = try await sandbox.fillSegments()
                let oldest = try #require(try sandbox.segments().first)
                try oldest.apply(damage)
                let before = try oldest.contents()

                let refused = try await sandbox.run("serve", "--listen", "127.0.0.1:0", "--data", sandbox.data)
                #expect(refused.exit == .code(1))
                for word in [oldest.name, "byte", "tally journal repair --data \(sandbox.data)"] {
                    #expect(refused.errors.contains(word), "\(refused.errors)")
                }
                #expect(try oldest.contents() == before, "nothing is changed before someone says so")

                #expect(try await sandbox.run("journal", "verify", "--data", sandbox.data).exit == .code(1))
                let repaired = try await sandbox.run("journal", "repair", "--data", sandbox.data)
                #expect(repaired.exit == .code(0), "\(repaired.errors)")
                #expect(try await sandbox.run("journal", "verify", "--data", sandbox.data).exit == .code(0))

                let second = try await sandbox.serve()
                let saved = try await second.client.total(of: 7)
                #expect(saved < counted && saved > 0, "\(saved) of \(counted)")
                #expect(try await second.client.count(7).status == 204)
                #expect(try await second.client.total(of: 7) == saved + 1)
            }
        }

        @Test("without any readable header the journal is the one that the store knows")
        func noHeader() async throws {
            try await withSandbox { sandbox in
                try await sandbox.countStoredAndUnstored()
                try sandbox.destroyHeaders()
                let refused = try await sandbox.run("serve", "--listen", "127.0.0.1:0", "--data", sandbox.data)
                #expect(refused.exit == .code(1))
                #expect(refused.errors.contains("tally journal repair --data \(sandbox.data)"), "\(refused.errors)")
                let repaired = try await sandbox.run("journal", "repair", "--data", sandbox.data)
                #expect(repaired.exit == .code(0), "\(repaired.errors)")
                #expect(repaired.output.contains("which no header says"), "\(repaired.output)")
                #expect(try await sandbox.serve().client.total(of: 7) == 8, "each once, those in the store too")
            }
        }

        @Test("which of several journals it is, or which at all, a person has to say", arguments: [0, 2])
        func unknownIdentity(journals: Int) async throws {
            try await withSandbox { sandbox in
                let identity = try await sandbox.countStoredAndUnstored()
                try sandbox.destroyHeaders()
                try sandbox.changeLogs(
                    journals == 0
                        ? "UPDATE logs SET name = 'kafka:' || name"
                        : "INSERT INTO logs (name) VALUES ('journal-0123456789abcdef0011223344556677')")
                let before = try sandbox.segments().map { try $0.contents() }
                #expect(
                    try await sandbox.run("journal", "verify", "--data", sandbox.data).output.contains("unknown"))
                let refused = try await sandbox.run("journal", "repair", "--data", sandbox.data)
                #expect(refused.exit == .code(1))
                #expect(refused.errors.contains("--identity"), "\(refused.errors)")
                #expect(refused.errors.contains(identity) == (journals == 2), "\(refused.errors)")
                let mistyped = try await sandbox.run(
                    "journal", "repair", "--data", sandbox.data, "--identity", String(identity.reversed()))
                #expect(mistyped.exit == .code(1))
                #expect(mistyped.errors.contains("nothing was changed"), "\(mistyped.errors)")
                #expect(try sandbox.segments().map { try $0.contents() } == before)

                try sandbox.changeLogs("UPDATE logs SET name = substr(name, 7) WHERE name LIKE 'kafka:%'")
                let repaired = try await sandbox.run(
                    "journal", "repair", "--data", sandbox.data, "--identity", identity)
                #expect(repaired.exit == .code(0), "\(repaired.errors)")
                #expect(try await sandbox.serve().client.total(of: 7) == 8)
            }
        }

        @Test("an identity that the headers contradict is refused")
        func wrongIdentity() async throws {
            try await withSandbox { sandbox in
                let identity = try await sandbox.countStoredAndUnstored()
                let other = String(repeating: "7", count: 32)
                let refused = try await sandbox.run("journal", "repair", "--data", sandbox.data, "--identity", other)
                #expect(refused.exit == .code(1))
                #expect(refused.errors.contains(identity) && refused.errors.contains(other), "\(refused.errors)")
                #expect(try await sandbox.serve().client.total(of: 7) == 8)
            }
        }

        @Test("a sound journal is found sound, and a repair changes nothing in it")
        func soundJournal() async throws {
            try await withSandbox { sandbox in
                let first = try await sandbox.serve("--segment-size", "1MiB")
                try await first.client.click(7, times: 3)
                try await first.kill()
                let before = try sandbox.segments().map { try $0.contents() }
                #expect(try await sandbox.run("journal", "verify", "--data", sandbox.data).exit == .code(0))
                #expect(try await sandbox.run("journal", "repair", "--data", sandbox.data).exit == .code(0))
                #expect(try sandbox.segments().map { try $0.contents() } == before)
                #expect(try await sandbox.serve().client.total(of: 7) == 3)
            }
        }

        @Test("a journal that a server is using is not repaired under it")
        func repairWhileServing() async throws {
            try await withSandbox { sandbox in
                let tally = try await sandbox.serve()
                let refused = try await sandbox.run("journal", "repair", "--data", sandbox.data)
                #expect(refused.exit == .code(1))
                #expect(refused.errors.contains("\(tally.process.pid)"), "\(refused.errors)")
                #expect(try await tally.client.count(7).status == 204)
            }
        }
    }
}

extension Sandbox {
    /// Counts banner 7 eight times: three are in the store when the server is killed, and all are in the journal.
    /// - Returns: the journal's identity.
    @discardableResult
    fileprivate func countStoredAndUnstored() async throws -> String {
        let first = try await serve()
        try await first.client.click(7, times: 3)
        #expect(try await first.terminate() == .code(0))
        let second = try await serve("--flush-every", "1h")
        try await second.client.click(7, times: 4)
        let receipt = try #require(try await second.client.count(7).header("Tally-Receipt"))
        try await second.kill()
        return String(try #require(receipt.firstMatch(of: /journal-([0-9a-f]{32})@/)).1)
    }

    /// Changes a byte of the identity in the header of each segment.
    fileprivate func destroyHeaders() throws {
        for segment in try segments() { try segment.overwrite(at: 20, with: [try segment.contents()[20] ^ 1]) }
    }

    fileprivate func changeLogs(_ sql: String) throws {
        let queue = try DatabaseQueue(path: "\(data)/tally.sqlite")
        try queue.write { try $0.execute(sql: sql) }
        try queue.close()
    }
}

extension Sandbox.Segment {
    fileprivate func apply(_ damage: EndToEndTests.JournalDamageTests.Damage) throws {
        let contents = try contents()
        let middle = contents.count / 2
        switch damage {
        case .flippedBit: try overwrite(at: middle, with: [contents[middle] ^ 0x10])
        case .cutShort: #expect(truncate(url.path, middle) == 0)
        case .emptied: try overwrite(at: middle, with: [UInt8](repeating: 0, count: 4096))
        }
    }
}
