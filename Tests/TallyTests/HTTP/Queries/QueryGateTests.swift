// SPDX-License-Identifier: Apache-2.0

import TallySimulator
import Testing

@testable import TallyServer

struct QueryGateTests {
    @Test func `queries run, wait in line, and are refused`() {
        var gate = QueryGate(maximumRunning: 2, maximumWaiting: 2)
        let arrivals = [1, 2, 3, 4, 5].map { gate.arrived($0) }
        #expect(arrivals == [.run, .run, .wait, .wait, .refuse])
        let third = gate.ended()
        #expect(third == 3)
        let sixth = gate.arrived(6)
        #expect(sixth == .wait)
        // The second time it waits no longer, and the third runs.
        let gaveUp = [gate.gaveUp(4), gate.gaveUp(4), gate.gaveUp(3)]
        #expect(gaveUp == [true, false, false])
        let next = [gate.ended(), gate.ended(), gate.ended()]
        #expect(next == [6, nil, nil])
        #expect(gate.running == 0 && gate.waitingCount == 0)
    }

    @Test(arguments: [UInt64(1), 2, 3, 4])
    func `never more than allowed run or wait, and none waits while there is room`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var gate = QueryGate(maximumRunning: 3, maximumWaiting: 4)
        var waiting: [UInt64] = []
        var running = 0
        for id in UInt64(1)...2_000 {
            switch random.number(0...2) {
            case 0:
                switch gate.arrived(id) {
                case .run: running += 1
                case .wait: waiting.append(id)
                case .refuse: #expect(running == 3 && waiting.count == 4)
                }
            case 1 where running > 0:
                let next = gate.ended()
                #expect(next == waiting.first)
                if next == nil { running -= 1 } else { waiting.removeFirst() }
            default:
                if let id = waiting.randomElement(using: &random) {
                    let isGone = gate.gaveUp(id)
                    #expect(isGone)
                    waiting.removeAll { $0 == id }
                }
            }
            #expect(gate.running == running && running <= 3)
            #expect(gate.waitingCount == waiting.count && waiting.count <= 4)
            #expect(waiting.isEmpty || running == 3)
        }
    }
}
