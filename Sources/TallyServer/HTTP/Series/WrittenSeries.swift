// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import NIOCore
import Synchronization
import TallyCore

/// A whole answer of `/v1/series`, as it is sent.
struct WrittenSeries: Sendable {
    let headers: HTTPFields
    let body: ByteBuffer
}

/// The answers that were written last: the same charts are drawn again and again, and writing a day of points takes longer
/// than finding out that it was written before.
///
/// An answer is only used again for the same question and the same counts, so that nothing is ever out of date here.
final class WrittenSeriesCache: Sendable {
    /// What the answer depends on, beside the counts.
    struct Question: Hashable {
        /// Behind the `?`.
        let parameters: String
        /// These may depend on the clock.
        let minutes: Range<Minute>
    }

    private struct Entry {
        let counted: Counted<[MinuteCount]>
        let answer: WrittenSeries
        let bytes: Int
    }

    private struct Contents {
        var entries: [Question: Entry] = [:]
        var bytes = 0
    }

    private let mostBytes: Int
    private let contents = Mutex(Contents())

    init(mostBytes: Int = 16 << 20) { self.mostBytes = mostBytes }

    func answer(to question: Question, _ counted: Counted<[MinuteCount]>) -> WrittenSeries? {
        guard let entry = contents.withLock({ $0.entries[question] }), entry.counted.freshness == counted.freshness,
            entry.counted.value == counted.value
        else { return nil }
        return entry.answer
    }

    func remember(_ answer: WrittenSeries, to question: Question, _ counted: Counted<[MinuteCount]>) {
        let bytes = WrittenSeriesCache.bytes(of: answer, question, counted)
        guard bytes <= mostBytes / 4 else { return }
        contents.withLock { contents in
            contents.bytes -= contents.entries.removeValue(forKey: question)?.bytes ?? 0
            if contents.bytes + bytes > mostBytes { contents = Contents() }
            contents.entries[question] = Entry(counted: counted, answer: answer, bytes: bytes)
            contents.bytes += bytes
        }
    }

    /// About what one takes.
    private static func bytes(of answer: WrittenSeries, _ question: Question, _ counted: Counted<[MinuteCount]>) -> Int
    {
        512 + question.parameters.utf8.count + answer.body.capacity
            + counted.value.count * MemoryLayout<MinuteCount>.stride
    }
}
