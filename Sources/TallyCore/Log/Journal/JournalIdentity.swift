// SPDX-License-Identifier: Apache-2.0

/// Whose a journal is when none of its headers says so.
package enum JournalIdentity {
    /// The identity of the only journal that the store knows.
    /// - Parameter logs: all that the store knows.
    /// - Throws: `.unavailable`, which says what to do, when there is none among them, or more than one.
    package static func only(of logs: [LogID], at place: JournalPlace) throws(JournalError) -> NodeID {
        let identities = logs.compactMap(identity).sorted()
        guard identities.count == 1 else { throw .unavailable(unknown(identities, place)) }
        return identities[0]
    }

    /// Whether any record of that journal can be read. The identity is in each checksum, so a wrong one fits nothing.
    /// - Throws: a `JournalError` when the disk can't be read.
    package static func fits(_ identity: NodeID, on disk: any Disk) throws -> Bool {
        try JournalError.translating {
            let survey = try JournalSurvey(JournalFiles(disk: disk), identity: identity)
            return survey.segments.contains { !$0.findings.isEmpty }
        }
    }

    /// nil for a log that is no journal.
    private static func identity(of log: LogID) -> NodeID? {
        guard let digits = log.name.split(separator: "-").last, let identity = NodeID(hex: digits),
            LogID(journal: identity) == log
        else { return nil }
        return identity
    }

    private static func unknown(_ identities: [NodeID], _ place: JournalPlace) -> String {
        let known =
            identities.isEmpty
            ? "the store knows no journal. If another store belongs to this one, name it with --store. If you know the "
                + "identity (answers to what was counted had it in Tally-Receipt, behind journal-)"
            : "the store knows several: \(identities.map(\.description).joined(separator: ", ")). "
                + "If you know which it is"
        return "no header of the journal can be read, so its identity is unknown, and \(known), run: "
            + "\(place.repairCommand) --identity IDENTITY. If not, nothing of it can be read: "
            + "move \(place.dataDirectory)/journal away, and tally starts with a new one"
    }
}
