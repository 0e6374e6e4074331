// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
import Glibc
#endif

/// Says which seeds ran when the program trapped or hung: neither can be caught, and the seed must not be lost.
///
/// What a signal's handler does here takes no lock and no memory: what it interrupts may hold the one that it needs.
enum RunningSeeds {
    private static let mostWorkers = 64
    /// No world of a batch takes so long, even on a busy machine.
    private static let longestSeconds: UInt32 = 120
    /// Of each worker, 0 for none.
    private nonisolated(unsafe) static let seeds = {
        let seeds = UnsafeMutablePointer<UInt64>.allocate(capacity: mostWorkers)
        seeds.initialize(repeating: 0, count: mostWorkers)
        for number in [SIGILL, SIGTRAP, SIGSEGV, SIGALRM] {
            signal(number) { number in RunningSeeds.end(number == SIGALRM ? "it hangs" : "it trapped") }
        }
        return seeds
    }()

    static func note(_ seed: UInt64, of worker: Int) { seeds[worker % mostWorkers] = seed }

    /// Ends the program when no world has begun for too long.
    static func expectProgress() { alarm(longestSeconds) }

    static func expectNothing() { alarm(0) }

    private static func end(_ what: StaticString) -> Never {
        write(what)
        write(" in one of these seeds:")
        for worker in 0..<mostWorkers where seeds[worker] != 0 {
            write(" ")
            write(seeds[worker])
        }
        write("\n")
        _exit(1)
    }

    private static func write(_ text: StaticString) { _ = Glibc.write(2, text.utf8Start, text.utf8CodeUnitCount) }

    private static func write(_ number: UInt64) {
        if number >= 10 { write(number / 10) }
        var digit = UInt8(ascii: "0") + UInt8(number % 10)
        _ = Glibc.write(2, &digit, 1)
    }
}
