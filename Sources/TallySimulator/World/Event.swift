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
    case chunkIsCommitted(ProcessID, Chunk, arrival: Int)
    /// An event loop hands over what came in its turn.
    case turnEnds(ProcessID, lane: Int)
    case diskWorks(ProcessID)
    /// - Parameter isRetry: it was tried a while ago, and failed.
    case flushIsDue(CountingID, isRetry: Bool)
    case queryIsAsked(machine: Int)
    // The store
    case storeReceives(StoreCall)
    case storeAnswers(StoreCall, StoreReply)
    case storeTimesOut(StoreCall)
    // The brokers
    case brokersReceive(BrokerCall)
    case brokersAnswer(BrokerCall, [LogOffset]?)
    case brokersTimeOut(BrokerCall)
    case spoolIsWritten(ProcessID, partition: Int)
    case forwarderWorks(ProcessID)
    /// A server begins to read the brokers' log.
    case readingBegins(CountingID)
    /// It makes the next call to the brokers.
    case readingGoesOn(CountingID)
    /// A server hears which partitions are its own.
    case partitionsAreAssigned(ProcessID)
    case countingEnds(CountingID, PartitionDuties.Ending)
    case countingIsTriedAgain(ProcessID, partition: Int, failures: Int)
    // The operator
    case operatorLooks(partition: Int)
    // Faults that end
    case faultEnds(LastingFault)
}

/// One run of a program on a machine: after a crash its messages and plans mean nothing.
struct ProcessID: Hashable {
    let machine: Int
    let incarnation: Int
}

/// One attempt of a process to count a log.
struct CountingID: Hashable {
    let process: ProcessID
    /// The position of the log in the auditor's books.
    let account: Int
    let number: Int
}

enum LastingFault: Equatable {
    case fullDisk(machine: Int)
    case storeOutage
    case brokerOutage
    case brokersUnreachable(machine: Int)
    case unreachable(machine: Int)
    case storeUnreachable(machine: Int)
    case shortClockJump(machine: Int)
}
