// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// `nats://HOST:PORT,…/STREAM?partitions=12&replicas=3`, or `tls://…`. Can be read without nats.c.
package struct JetStreamURL: Equatable, Sendable {
    package let url: RemoteLogURL
    /// nil for as many as there are streams, and `partitionsWhenMade` when there is none.
    package let partitions: Int?
    /// Of each stream; nil for three, or one where there is one server.
    package let replicas: Int?
    /// How long an append or a read may take, everything included.
    package let timeout: Duration
    /// The servers sync before they acknowledge; only their operator can know.
    package let syncsAlways: Bool
    /// Files for TLS and for the login with a credentials file.
    package let authority: String?
    package let certificate: String?
    package let key: String?
    package let credentials: String?

    package static let partitionsWhenMade = 12
    package var isSecure: Bool { url.scheme == "tls" || authority != nil || certificate != nil }
    package var stream: String { url.name }

    package init(_ text: String) throws(LogURLError) {
        url = try RemoteLogURL(text, port: 4_222, nameRule: .init(what: "stream", more: "", longest: 64))
        partitions = try url.number("partitions", in: 1...Limits.partitions)
        replicas = try url.number("replicas", in: 1...5)
        timeout = .seconds(try url.number("timeout", in: 1...300) ?? 10)
        let sync = url.parameters["sync"]
        guard sync == nil || sync == "always" else {
            throw LogURLError("sync is not always, the one value that it has")
        }
        syncsAlways = sync == "always"
        authority = url.parameters["ca"]
        certificate = url.parameters["cert"]
        key = url.parameters["key"]
        credentials = url.parameters["creds"]
        if (certificate == nil) != (key == nil) { throw LogURLError("cert and key are given together, or neither is") }
        let known = ["partitions", "replicas", "timeout", "sync", "ca", "cert", "key", "creds"]
        if let unknown = url.parameters.keys.sorted().first(where: { !known.contains($0) }) {
            throw LogURLError("\(unknown) is no parameter; allowed are \(known.joined(separator: ", "))")
        }
    }

    /// The stream of a partition, and the subject that it takes.
    package func stream(of partition: Int) -> String { "\(stream)-\(partition)" }
    package func subject(of partition: Int) -> String { "\(stream).\(partition)" }
}

extension JetStreamURL: CustomStringConvertible {
    package var description: String { url.description }
}
