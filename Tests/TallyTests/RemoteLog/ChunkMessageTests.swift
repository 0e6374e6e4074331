// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TallyCore
import Testing

@testable import TallyBackends

@Suite("A chunk as a message")
struct ChunkMessageTests {
    private let chunk = SampleChunks.chunk(7, of: NodeID(process: SampleChunks.node, partition: 3))

    private func read(_ bytes: [UInt8], name: String? = nil, in partition: Int? = 3) -> ChunkMessage {
        ChunkMessage(bytes, name: name ?? ChunkMessage.name(of: chunk), in: partition)
    }

    @Test func itComesBack() {
        #expect(ChunkMessage.name(of: chunk) == "0123456789abcdef0011223344550003:7")
        guard case .chunk(chunk) = read(chunk.encoded()) else {
            Issue.record("the chunk is none")
            return
        }
    }

    @Test func whatIsNoChunkIsPoison() {
        for bytes in [[], [1], Array("hello".utf8), Array(chunk.encoded().dropLast()), chunk.encoded() + [0]] {
            guard case .poison(let reason) = read(bytes, name: "hello") else {
                Issue.record("\(bytes) is a chunk")
                continue
            }
            #expect(!reason.isEmpty)
        }
        guard case .poison("8388609 bytes are too many for a chunk") = read(Array(repeating: 1, count: 8_388_609))
        else {
            Issue.record("it is not too long")
            return
        }
    }

    @Test func aChunkOfAnotherPartitionIsPoisonThere() {
        guard case .poison("the chunk belongs to partition 3") = read(chunk.encoded(), in: 2) else {
            Issue.record("it counts in a partition that is not its own")
            return
        }
        guard case .chunk = read(chunk.encoded(), in: nil) else {
            Issue.record("it is no chunk where all may be")
            return
        }
    }

    @Test("what a newer tally wrote is not passed over, but what only looks so is")
    func newer() {
        let bytes: [UInt8] = [4] + chunk.encoded().dropFirst()
        guard case .newer(let reason) = read(bytes) else {
            Issue.record("it would be lost")
            return
        }
        #expect(reason.contains("version 4"))
        for name in ["", "order-17", "0123:7", "0123456789abcdef0011223344550003:"] {
            guard case .poison = read(bytes, name: name) else {
                Issue.record("\(name) would stop the counting")
                continue
            }
        }
    }

    @Test func poisonIsCountedAndNamed() throws {
        let told = Mutex<[String]>([])
        let poisoned = PoisonedMessages { text in told.withLock { $0.append(text) } }
        poisoned.note("no chunk", at: LogOffset(5), of: try #require(LogID("kafka:c/t/3")))
        #expect(poisoned.count == 1)
        #expect(told.withLock { $0 } == ["passed over the message at offset 5 of kafka:c/t/3: no chunk"])
    }
}
