// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
import Glibc
#endif

/// `TallySimulator run SEED [STEPS]` and `TallySimulator many SEEDS [STEPS [FIRST [FAILURES]]]`.
@main
enum Command {
    private static let usage = """
        Runs simulated deployments with every fault, and checks that no acknowledged event is lost or counted twice.

          TallySimulator run SEED [STEPS]   one world, with the history of what happened when it fails
          TallySimulator many SEEDS [STEPS [FIRST [FAILURES]]]
                                            as many worlds, beginning with the seed FIRST (default 1), until so many
                                            have failed (default 10)

        A seed is a number, or the hash of a commit. STEPS are those with faults (default 5000).
        Exits with 1 when something was not as promised, with 64 when it was called wrongly.
        """

    static func main() async {
        let arguments = Array(CommandLine.arguments.dropFirst())
        let numbers = arguments.dropFirst().map(seed(of:))
        let steps = numbers.count > 1 ? numbers[1].flatMap { Int(exactly: $0) } : 5_000
        guard let what = arguments.first, let first = numbers.first.flatMap({ $0 }), let steps,
            numbers.count <= (what == "run" ? 2 : 4), !numbers.contains(nil)
        else { end(usage, status: 64) }
        func number(_ index: Int, otherwise: UInt64) -> UInt64 {
            numbers.count > index ? numbers[index] ?? otherwise : otherwise
        }
        switch what {
        case "run": run(seed: first, steps: steps)
        case "many":
            let batch = Batch(
                seeds: Int(clamping: first), steps: steps, first: number(2, otherwise: 1),
                mostFailures: Int(clamping: number(3, otherwise: 10)))
            await batch.run()
        default: end(usage, status: 64)
        }
    }

    /// A number as it is, a commit's hash by its first 16 digits.
    static func seed(of text: String) -> UInt64? { UInt64(text) ?? UInt64(text.prefix(16), radix: 16) }

    private static func run(seed: UInt64, steps: Int) {
        RunningSeeds.note(seed, of: 0)
        let report = Simulation.run(seed: seed, steps: steps)
        print(report.description)
        guard report.violation != nil else { return }
        let history = Simulation.run(seed: seed, steps: steps, keepsHistory: true).history
        print("What happened last:\n" + history.suffix(60).map { "  \($0)" }.joined(separator: "\n"))
        exit(1)
    }

    static func end(_ text: String, status: Int32) -> Never {
        print(text)
        exit(status)
    }
}
