// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEndTests {
    @Suite("Damage to the journal is survived where it may be, and told where it may not", .timeLimit(.minutes(1)))
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
