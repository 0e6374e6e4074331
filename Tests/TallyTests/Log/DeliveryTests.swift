// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TallyCore

@Suite("The way of a commit to a remote log or its spool")
struct DeliveryTests {
    private static let chunks = SampleChunks.chunks(1...2)
    private static let offsets: Result<[LogOffset], LogError> = .success([LogOffset(4), LogOffset(5)])

    private func delivery(
        isLogAway: Bool = false, spool: Delivery.Spool = .open, acknowledgement: Acknowledgement = .quorum
    ) -> Delivery {
        Delivery(Self.chunks, isLogAway: isLogAway, spool: spool, acknowledgement: acknowledgement)
    }

    @Test("into the log, when it answers")
    func log() {
        var delivery = delivery()
        #expect(delivery.action == .send(Self.chunks))
        delivery.didSend(Self.offsets)
        #expect(delivery.action == .finish(Self.offsets, .quorum))
    }

    @Test("into the spool, when the log does not answer")
    func spool() {
        var delivery = delivery()
        delivery.didSend(.failure(.unavailable("away")))
        #expect(delivery.action == .spool(Self.chunks))
        delivery.didSpool(Self.offsets)
        #expect(delivery.action == .finish(Self.offsets, .disk))
    }

    @Test("at once into the spool, while the log is known to be away")
    func spoolFirst() {
        var delivery = delivery(isLogAway: true)
        #expect(delivery.action == .spool(Self.chunks))
        delivery.didSpool(Self.offsets)
        #expect(delivery.action == .finish(Self.offsets, .disk))
    }

    @Test("a disk that is full does not keep chunks from a log that is back")
    func fullDisk() {
        var delivery = delivery(isLogAway: true)
        delivery.didSpool(.failure(.refused("full")))
        #expect(delivery.action == .send(Self.chunks))
        delivery.didSend(Self.offsets)
        #expect(delivery.action == .finish(Self.offsets, .quorum))
    }

    @Test("a full spool takes nothing more, and nobody waits for a log that is away")
    func fullSpool() {
        guard case .finish(.failure(.refused(let reason)), _) = delivery(isLogAway: true, spool: .full).action else {
            Issue.record("it is not refused at once")
            return
        }
        #expect(reason.contains("--spool-limit"))
        var delivery = delivery(spool: .full)
        #expect(delivery.action == .send(Self.chunks))
        delivery.didSend(.failure(.unavailable("away")))
        #expect(delivery.action == .finish(.failure(.unavailable("away")), .quorum))
    }

    @Test("with --ack disk the spool is first, also while the log answers")
    func spoolBeforeLog() {
        var delivery = delivery(acknowledgement: .disk)
        #expect(delivery.action == .spool(Self.chunks))
        delivery.didSpool(Self.offsets)
        #expect(delivery.action == .finish(Self.offsets, .disk))
    }

    @Test(
        "with --ack disk, and a spool that takes nothing, the log has to have it",
        arguments: [Delivery.Spool.full, .none])
    func noSpoolBeforeLog(spool: Delivery.Spool) {
        var delivery = delivery(spool: spool, acknowledgement: .disk)
        #expect(delivery.action == .send(Self.chunks))
        delivery.didSend(Self.offsets)
        #expect(delivery.action == .finish(Self.offsets, .quorum))
    }

    @Test("without a spool it fails with the log")
    func noSpool() {
        var delivery = delivery(isLogAway: true, spool: .none)
        #expect(delivery.action == .send(Self.chunks))
        delivery.didSend(.failure(.unavailable("away")))
        #expect(delivery.action == .finish(.failure(.unavailable("away")), .quorum))
    }

    @Test(
        "the numbers are free again only when nobody can have the chunks",
        arguments: [
            (LogError.refused("no"), LogError.refused("full"), LogError.refused("full")),
            (.unavailable("away"), .refused("full"), .unavailable("full")),
            (.refused("no"), .failed("broken"), .unavailable("broken")),
            (.refused("no"), .unavailable("slow"), .unavailable("slow")),
        ])
    func outcome(sent: LogError, spooled: LogError, outcome: LogError) {
        var delivery = delivery()
        delivery.didSend(.failure(sent))
        delivery.didSpool(.failure(spooled))
        #expect(delivery.action == .finish(.failure(outcome), .disk))
    }
}
