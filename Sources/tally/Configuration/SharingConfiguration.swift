// SPDX-License-Identifier: Apache-2.0

import TallyCore
import TallyServer

/// How the servers that share a remote log work together. With the journal there are no others.
struct SharingConfiguration: Sendable {
    var acknowledgement: Acknowledgement
    /// Whether events are kept on this disk while the brokers are away.
    var spools: Bool
    /// In bytes, 1 MiB to 1 TiB.
    var spoolLimit: Int
    /// Empty for none.
    var aggregators: [ListenAddress]
    var partitions: PartitionChoice
    /// How long a start may take until it is ready all the same: 0 to 1 d.
    var readyWithin: Duration
}

extension SharingConfiguration {
    init(_ reader: inout SettingsReader, log: LogURL, roles: Set<ServerRole>) {
        self.init(
            acknowledgement: reader.value(of: ServerSettings.acknowledgement),
            spools: reader.value(of: ServerSettings.spool), spoolLimit: reader.value(of: ServerSettings.spoolLimit),
            aggregators: reader.value(of: ServerSettings.aggregators),
            partitions: reader.value(of: ServerSettings.partitions),
            readyWithin: reader.value(of: ServerSettings.readyWithin))
        switch log {
        case .journal: SharingConfiguration.checkJournal(&reader, roles: roles)
        case .kafka:
            if partitions != .all {
                reader.note("--partitions: the servers that count a topic of Kafka share its partitions by themselves")
            }
        case .jetStream: break
        }
        if log != .journal, acknowledgement == .disk, !spools {
            reader.note("--ack: disk needs the spool, and --spool is off")
        }
    }

    /// Who has a journal has it alone, and is told so rather than left to find out.
    private static func checkJournal(_ reader: inout SettingsReader, roles: Set<ServerRole>) {
        if roles != .all {
            reader.note(
                "--roles: “\(roles.text)”: with --log journal one process has all three roles, ingest,aggregate,query, "
                    + "since no other can read its journal; several processes share --log kafka://… or nats://…")
        }
        let remote: [any AnySetting] = [
            ServerSettings.acknowledgement, ServerSettings.spool, ServerSettings.spoolLimit,
            ServerSettings.aggregators, ServerSettings.partitions, ServerSettings.readyWithin,
        ]
        for setting in remote where reader.text(of: setting).source != .standard {
            reader.note(
                "--\(setting.name): it is for a log on servers of its own (--log kafka://… or nats://…), and the log is the "
                    + "journal, which is on this disk before an event is answered")
        }
    }
}

/// Which partitions of a log a server counts.
enum PartitionChoice: Equatable, Sendable {
    case all
    case some(Set<Int>)

    /// Reads `all`, or `0-5,7`.
    init?(_ text: String) {
        if text == "all" {
            self = .all
            return
        }
        var numbers: Set<Int> = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map(PartitionChoice.number)
            guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1], first <= last
            else { return nil }
            numbers.formUnion(first...last)
        }
        self = .some(numbers)
    }

    private static func number(_ text: Substring) -> Int? {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(text), number < Limits.partitions
        else { return nil }
        return number
    }
}

/// Where the servers are that count.
enum AggregatorAddresses {
    /// - Returns: nil for what is no list of addresses; `[]` for `none`.
    static func read(_ text: String) -> [ListenAddress]? {
        if text == "none" { return [] }
        let addresses = text.split(separator: ",", omittingEmptySubsequences: false).map { part in
            ListenAddress(String(part.trimmingPrefix(while: \.isWhitespace)))
        }
        guard addresses.allSatisfy({ $0 != nil && $0?.port != 0 }) else { return nil }
        return addresses.compactMap { $0 }
    }
}
