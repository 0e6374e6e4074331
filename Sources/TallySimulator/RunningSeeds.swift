// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
import Glibc
#endif

/// Says which seeds ran when the program trapped or hung: neither can be caught, and the seed must not be lost.
enum RunningSeeds {
    private static let mostWorkers = 64
    /// No world of a batch takes so long, even on a busy machine.
    private static let longestSeconds: UInt32 = 120
    /// Of each worker, 0 for none. A signal's handler may read plain memory, but take no lock.
    private nonisolated(unsafe) static let seeds = {
        let seeds = UnsafeMutablePointer<UInt64>.allocate(capacity: mostWorkers)
        seeds.initialize(repeating: 0, count: mostWorkers)
        return seeds
    }()

    static func note(_ seed: UInt64, of worker: Int) {
        seeds[worker % mostWorkers] = seed
        for number in [SIGILL, SIGTRAP, SIGSEGV, SIGALRM] {
            signal(number) { number in RunningSeeds.end(number == SIGALRM ? "it hangs" : "it trapped") }
        }
    }

    /// Ends the program when no world has begun for too long.
    static func expectProgress() { alarm(longestSeconds) }

    private static func end(_ what: String) -> Never {
        let running = (0..<mostWorkers).map { seeds[$0] }.filter { $0 != 0 }
        let text = "\(what) in one of these seeds: \(running.map(String.init).joined(separator: ", "))\n"
        text.withCString { _ = write(2, $0, strlen($0)) }
        _exit(1)
    }
}
