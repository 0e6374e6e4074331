// SPDX-License-Identifier: Apache-2.0

package import TallyCore

/// What is wrong with the streams of a log.
package enum JetStreamCheck {
    /// Without this a stream is of no use: what it takes is not kept.
    package static func refusal(of state: JetStreamState, named name: String) -> String? {
        if !state.acknowledges { return "the stream \(name) does not acknowledge (no_ack); remove it, or name another" }
        if !state.keepsAll {
            return
                "the stream \(name) drops what was read (its retention is no limits policy); remove it, or name another"
        }
        return nil
    }

    /// What is set so that counts could be lost, each with what mends it.
    /// - Parameter largestMessage: what the servers allow.
    package static func warnings(
        _ state: JetStreamState, largestMessage: Int, url: JetStreamURL, needs: LogNeeds
    ) -> [String] {
        let streams = "the streams \(url.stream)-*"
        var warnings: [String] = []
        if !url.syncsAlways {
            warnings.append(
                "JetStream acknowledges before it has synced to its disks: what is acknowledged survives a crash of "
                    + "nats-server, and a power cut of one machine where there are replicas, but not of all at once. "
                    + "nats-server 2.10 and later have jetstream { sync_interval: always }; say sync=always when it is set"
            )
        }
        if state.replicas == 1 {
            warnings.append(
                "\(streams) have one copy: what is acknowledged is lost with its machine; "
                    + "mend it with: \(edit(url, "--replicas 3"))")
        }
        if state.isInMemory {
            warnings.append(
                "\(streams) are in memory, and lost with their servers; remove them, and let Tally make them")
        }
        if state.maximumAge > .zero, state.maximumAge < needs.retention {
            warnings.append(
                "\(streams) keep chunks for \(state.maximumAge), which is less than --dedup-window or --flush-every "
                    + "(\(needs.retention)); mend it with: \(edit(url, "--max-age 0s"))")
        }
        if state.hasLimit, state.dropsOldest {
            warnings.append(
                "\(streams) drop the oldest chunks at their limit, counted or not; mend it with: "
                    + edit(url, "--discard new"))
        }
        let largest = min(largestMessage, state.largestMessage ?? .max)
        if largest < Limits.chunkBytes {
            warnings.append(
                "the servers refuse messages over \(largest) bytes, and a chunk of very many events may have more, up to "
                    + "\(Limits.chunkBytes); mend it with max_payload: 8MB in their configuration")
        }
        return warnings
    }

    private static func edit(_ url: JetStreamURL, _ change: String) -> String {
        "nats stream edit \(url.stream(of: 0)) \(change), and so for each partition"
    }
}
