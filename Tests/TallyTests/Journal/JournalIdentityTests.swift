// SPDX-License-Identifier: Apache-2.0

import TallySimulator
import Testing

@testable import TallyCore

@Suite("The identity of a journal whose headers can't be read")
struct JournalIdentityTests {
    @Test("fits what was written under it, and nothing else")
    func fitting() throws {
        let bench = JournalBench()
        #expect(try !JournalIdentity.fits(JournalBench.identity, on: bench.disk))
        _ = try bench.open().append([SampleChunks.chunk(1)])
        bench.disk.flip(JournalBench.name(1), byte: 20)
        #expect(try JournalIdentity.fits(JournalBench.identity, on: bench.disk))
        #expect(try !JournalIdentity.fits(SampleChunks.other, on: bench.disk))
    }

    @Test("it is the only journal among the logs of the store; else a person is told what to do")
    func only() throws {
        let (one, other) = (LogID(journal: SampleChunks.node), LogID(journal: SampleChunks.other))
        let noJournals = ["kafka:clicks/0", "journal-a", "0123456789abcdef0011223344556677"].compactMap { LogID($0) }
        #expect(try JournalIdentity.only(of: noJournals + [one], at: JournalBench.place) == SampleChunks.node)
        for (logs, words) in [
            (noJournals, ["knows no journal", "--store", "Tally-Receipt"]),
            ([one, other], ["several", SampleChunks.node.description, SampleChunks.other.description]),
        ] {
            let error = #expect(throws: JournalError.self) {
                try JournalIdentity.only(of: logs, at: JournalBench.place)
            }
            for word in words + ["tally journal repair --data ./data --identity ", "move ./data/journal away"] {
                #expect(error?.description.contains(word) == true, "\(word): \(String(describing: error))")
            }
        }
    }
}
