// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// One step of the simulation.
enum Event {
    // Clients
    case clientActs(Int)
    case answerArrives(Answer)
    case clientTimesOut(client: Int, request: Int)
    // Machines
    case machineStarts(Int, incarnation: Int)
    case requestArrives(Request)
    /// The gap between the admission of a request and its commit.
    case requestIsCommitted(ProcessID, arrival: Int)
    case diskWorks(ProcessID)
    case flushIsDue(ProcessID)
    case queryIsAsked(machine: Int)
    // The store
    case storeReceives(StoreCall)
    case storeAnswers(StoreCall, StoreReply)
    case storeTimesOut(StoreCall)
    // Faults that end
    case faultEnds(LastingFault)
}

/// One run of a program on a machine: after a crash its messages and plans mean nothing.
struct ProcessID: Hashable {
    let machine: Int
    let incarnation: Int
}

enum LastingFault: Equatable {
    case fullDisk(machine: Int)
    case storeOutage
    case unreachable(machine: Int)
    case storeUnreachable(machine: Int)
}
