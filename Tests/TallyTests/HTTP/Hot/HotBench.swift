// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOEmbedded
import Synchronization
import TallyCore
import TallySimulator

@testable import TallyServer

/// The hot path of one connection over a log that waits to be let go, with a codec that only notes what it gets.
struct HotBench: Sendable {
    let log = GatedLog()
    let channel = NIOAsyncTestingChannel()
    let codec = Codec()
    let reads = Counter()
    private let ingest: Ingest

    /// - Parameter pendingEntriesLimit: how many entries may wait for a commit.
    init(pendingEntriesLimit: Int = 1_000) async throws {
        let banners = BannerRegistry(directory: BannerDirectory(), store: MemoryBannerStore())
        let clock = LogClock(ManualClock(), logTime: .epoch, maximumAhead: .seconds(86_400))
        let admission = Admission(
            window: EventWindow(late: 10, early: 1, logTime: .epoch), kindRule: .any, kinds: [],
            nodes: NodeLimit(maximumRanges: 100), banners: banners,
            clock: clock)
        let aggregation = Aggregation(
            aggregator: Aggregator(layout: .minute, checkpoint: .start), banners: banners, unresolvedRowsLimit: 1_000)
        let commits = GroupCommit<Ingest.Waiter>(
            node: SampleChunks.node, lastSequence: 0, logTime: .epoch, late: 10,
            pendingEntriesLimit: pendingEntriesLimit)
        let ingest = Ingest(log: log, commits: commits, aggregation: aggregation, admission: admission)
        self.ingest = ingest
        let metrics = HTTPMetrics(registry: MetricsRegistry())
        let codec = self.codec
        let reads = self.reads
        try await channel.testingEventLoop.executeInContext { [channel] in
            let answers = HotAnswers(metrics: metrics, counterStatus: .noContent, admission: admission)
            let lane = LoopLane(
                number: 0, on: channel.eventLoop,
                intake: LaneIntake(admission: admission, ingest: ingest, partitioning: nil),
                answers: answers, judge: TrafficJudge())
            let deadline = RequestDeadlineHandler(timeout: .hours(1), timeouts: Counter())
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(ReadCounter(reads: reads))
            try pipeline.addHandler(deadline)
            try pipeline.addHandler(HotPathHandler(lane: lane, deadline: deadline))
            try pipeline.addHandler(CodecHandler(codec: codec))
        }
        try await channel.connect(to: .init(ipAddress: "127.0.0.1", port: 1)).get()
    }

    /// Commits while the body runs.
    func run(_ body: () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await ingest.run() }
            try await body()
            await log.open()
            tasks.cancelAll()
        }
    }

    /// Bytes come, and with them the end of the loop's turn.
    func receive(_ text: String) async throws {
        try await channel.writeInbound(ByteBuffer(string: text))
        await channel.testingEventLoop.run()
    }

    func fire(_ event: any Sendable) async throws {
        try await channel.testingEventLoop.executeInContext { [channel] in
            channel.pipeline.fireUserInboundEventTriggered(event)
        }
    }

    /// What the codec's side tells of its request.
    func tell(_ event: RequestEvent) async throws {
        try await channel.testingEventLoop.executeInContext { [channel] in
            channel.pipeline.triggerUserOutboundEvent(event, promise: nil)
        }
    }

    /// One write, when it comes.
    func nextWrite() async throws -> String {
        while true {
            if let buffer = try await channel.readOutbound(as: ByteBuffer.self) { return String(buffer: buffer) }
            // The answer of a commit comes from another thread.
            await channel.testingEventLoop.run()
            try Task.checkCancellation()
            await Task.yield()
        }
    }

    /// What has been written by now.
    func written() async throws -> String {
        await channel.testingEventLoop.run()
        return try await channel.readOutbound(as: ByteBuffer.self).map { String(buffer: $0) } ?? ""
    }

    /// What came behind the hot path.
    final class Codec: Sendable {
        private let notes = Mutex<[String]>([])

        /// Bytes as their text, events by their names.
        var all: [String] { notes.withLock { $0 } }

        func note(_ text: String) { notes.withLock { $0.append(text) } }
    }

    private final class CodecHandler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let codec: Codec

        init(codec: Codec) { self.codec = codec }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            codec.note(String(buffer: unwrapInboundIn(data)))
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            codec.note(event is ChannelShouldQuiesceEvent ? "quiesce" : "\(event)")
        }
    }

    private final class ReadCounter: ChannelOutboundHandler {
        typealias OutboundIn = Any
        typealias OutboundOut = Any

        private let reads: Counter

        init(reads: Counter) { self.reads = reads }

        func read(context: ChannelHandlerContext) {
            reads.add()
            context.read()
        }
    }
}
