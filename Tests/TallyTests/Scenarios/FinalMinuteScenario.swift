// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TallyCore

/// An import's chunk and an event of the last minute that was not final were committed together, a minute later. The
/// import's chunk came first and took the log's time into the next minute, so the event fell into a minute that was final.
@Suite("Scenario: a final minute that changed")
struct FinalMinuteScenario {
    @Test("the chunks of one commit leave the minutes of its events open")
    func aChunkBeforeTheEvent() throws {
        let minute = Minute(sinceEpoch: 100)!
        let event = CountedEvent(banner: BannerID(1)!, kind: .click, minute: minute, count: 1)
        var commits = GroupCommit<String>(node: SampleChunks.node, lastSequence: 0, logTime: .epoch, late: 0)
        _ = commits.add(SampleChunks.chunk(1, of: SampleChunks.other), waiter: "import")
        _ = commits.add([event], waiter: "event")
        let begun = commits.begin(at: Timestamp(milliseconds: 101 * 60_000))
        let commit = try #require(begun)
        #expect(commit.chunks.count == 2)
        for chunk in commit.chunks {
            #expect(EventWindow.watermark(logTime: chunk.time, late: 0) <= minute)
        }
    }
}
