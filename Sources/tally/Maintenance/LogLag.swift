// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// How far the store is behind each partition of a log.
struct LogLag: Equatable {
    struct Partition: Equatable {
        let name: String
        let end: LogOffset
        /// Up to here every count is in the store.
        let stored: LogOffset

        var behind: Int64 { max(0, end.value - stored.value) }
    }

    let partitions: [Partition]

    init(_ partitions: [Partition]) { self.partitions = partitions }

    var report: MaintenanceReport {
        var report = MaintenanceReport(facts: [], problems: [])
        var behind: Int64 = 0
        for partition in partitions {
            behind += partition.behind
            report.facts.append(.init(name: partition.name, value: partition.text))
            if let problem = partition.problem { report.problems.append(problem) }
        }
        report.facts.append(.init(name: "behind", value: NumberText.grouped(behind)))
        return report
    }
}

extension LogLag.Partition {
    fileprivate var text: String {
        let count = NumberText.grouped(behind)
        return "\(count) behind: the log ends at offset \(end), the store has all up to \(stored)"
    }

    fileprivate var problem: String? {
        guard stored > end else { return nil }
        return """
            the store has \(name) up to offset \(stored), and the log ends at \(end): it was restored from an old copy, \
            made anew, or has lost its end
            """
    }
}
