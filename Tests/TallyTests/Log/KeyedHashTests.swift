// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TallyCore

@Suite("Keys that outsiders choose don't make a table slow")
struct KeyedHashTests {
    enum Keys: CaseIterable {
        case banners, alikeInTheLowBits, alikeInTheHighBits, differencesThatCancel, minutesOfOneBanner, kindsOfOneBanner

        func pair(_ index: UInt64) -> (UInt64, UInt64) {
            switch self {
            case .banners: (index, 7)
            case .alikeInTheLowBits: (index << 40, 7)
            case .alikeInTheHighBits: (0x7FFF_FFFF_0000_0000 | index, 7)
            // One bit of the finalizer of SplitMix64 after its first step.
            case .differencesThatCancel: (index &* (1 << 62 | 1 << 32 | 1 << 2), index << 32)
            case .minutesOfOneBanner: (7, index << 32 | 1)
            case .kindsOfOneBanner: (7, 28_899_960 << 32 | index)
            }
        }
    }

    @Test("half a table is filled without long searches", arguments: Keys.allCases)
    func searches(keys: Keys) {
        let seed = UInt64.random(in: 0 ... .max)
        let hash = KeyedHash(seed: seed)
        let size = 1 << 16
        var isTaken = Array(repeating: false, count: size)
        var steps = 0
        for index in 0..<UInt64(size / 2) {
            let (left, right) = keys.pair(index)
            let slot = Probing.place(of: hash(left, right), in: size) { place in
                steps += 1
                return isTaken[place]
            }
            isTaken[slot] = true
        }
        // Knuth: 1.5 steps on average for a table that is filled to a half at random.
        #expect(steps < size, "seed \(seed): \(steps) steps for \(size / 2) keys")
    }

    @Test("another seed is another hash")
    func seeds() {
        let hashes = (0..<1_000 as Range<UInt64>).map { KeyedHash(seed: $0)(7, 1) }
        #expect(Set(hashes).count == hashes.count)
    }

    @Test("event ids are told apart by all of their bits", arguments: [0, 32, 64, 96])
    func eventIDs(shift: Int) {
        let ids = (0..<1_000).map { EventID(bits: UInt128($0) << UInt128(shift)) }
        #expect(Set(ids.map(\.hashValue)).count == ids.count)
    }
}
