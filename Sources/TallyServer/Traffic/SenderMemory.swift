// SPDX-License-Identifier: Apache-2.0

import Glibc
import NIOCore
import TallyCore

/// The verdict on the last sender of one connection: nearly always the next request is of the same one, and then comparing
/// some bytes is all.
struct SenderMemory {
    private var userAgent: [UInt8] = []
    private var forwarded: [UInt8] = []
    private var known: (verdict: TrafficJudge.Verdict, day: Day, generation: Int)?

    /// - Parameter userAgent: the value of the field, empty when it is missing; of `forwarded` the same.
    mutating func judge(
        _ userAgent: UnsafeRawBufferPointer, _ forwarded: UnsafeRawBufferPointer, _ banner: BannerID,
        peer: @autoclosure () -> SocketAddress?, judge: TrafficJudge, at now: NIODeadline, on day: Day
    ) -> Judgement {
        let forwarded = judge.looksAtForwarded ? forwarded : UnsafeRawBufferPointer(start: nil, count: 0)
        let generation = judge.generation
        if let known, known.day == day, known.generation == generation, SenderMemory.isEqual(userAgent, self.userAgent),
            SenderMemory.isEqual(forwarded, self.forwarded)
        {
            return judge.judge(known.verdict, banner, at: now)
        }
        let sender = TrafficJudge.Sender(peer: peer(), userAgent: userAgent, forwarded: forwarded)
        let verdict = judge.verdict(sender, on: day)
        self.userAgent = Array(userAgent)
        self.forwarded = Array(forwarded)
        known = (verdict, day, generation)
        return judge.judge(verdict, banner, at: now)
    }

    private static func isEqual(_ bytes: UnsafeRawBufferPointer, _ kept: [UInt8]) -> Bool {
        guard bytes.count == kept.count else { return false }
        guard let start = bytes.baseAddress, !bytes.isEmpty else { return true }
        return kept.withUnsafeBytes { memcmp(start, $0.baseAddress!, bytes.count) == 0 }  // Neither is empty.
    }
}
