// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import NIOCore
import TallyCore

extension HTTPField.Name {
    /// Where the events of a request are durable: `<log>@<offset>; durable=disk`, and more of them behind commas when they
    /// are in several partitions.
    static let tallyReceipt = HTTPField.Name("Tally-Receipt")!  // A constant that is a valid name.
    /// The partitions whose latest counts may be missing in an answer: `3, 7`.
    static let tallyBehind = HTTPField.Name("Tally-Behind")!  // A constant that is a valid name.
}

extension JSONWriter {
    mutating func write(_ freshness: Freshness) {
        member("watermark", freshness.watermark)
        write(behind: freshness)
    }

    /// Nothing when nobody is behind.
    mutating func write(behind freshness: Freshness) {
        if freshness.behind.isEmpty { return }
        name("behind")
        array { json in
            for one in freshness.behind {
                json.object { json in
                    json.member("partition", one.partition)
                    json.member("reason", one.reason)
                }
            }
        }
    }
}

extension Receipt {
    fileprivate var text: String { "\(log)@\(offset); durable=\(durability.rawValue)" }
}

extension Response {
    /// An object of JSON.
    static func json(_ members: (inout JSONWriter) -> Void, status: HTTPResponse.Status = .ok) -> Response {
        var json = JSONWriter()
        json.object(members)
        return .bytes(json.bytes, type: "application/json", status: status)
    }

    static func text(_ text: String, type: String = "text/plain; charset=utf-8", status: HTTPResponse.Status = .ok)
        -> Response
    { .bytes(Array(text.utf8), type: type, status: status) }

    static func bytes(_ bytes: [UInt8], type: String, status: HTTPResponse.Status = .ok) -> Response {
        Response(status: status, headers: [.contentType: type], body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    /// Names the partitions that are behind, if there are any.
    func with(_ freshness: Freshness) -> Response {
        if freshness.behind.isEmpty { return self }
        var response = self
        response.headers[.tallyBehind] = freshness.behind.map { String($0.partition) }.joined(separator: ", ")
        return response
    }

    func with(_ receipts: [Receipt]) -> Response {
        if receipts.isEmpty { return self }
        var response = self
        response.headers[.tallyReceipt] = receipts.map(\.text).joined(separator: ", ")
        return response
    }
}
