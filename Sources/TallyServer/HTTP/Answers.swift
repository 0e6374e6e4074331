// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import NIOCore
import TallyCore

extension HTTPField.Name {
    /// Where the events of a request are durable: `<log>@<offset>; durable=disk`.
    static let tallyReceipt = HTTPField.Name("Tally-Receipt")!  // A constant that is a valid name.
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

    func with(_ receipt: Receipt?) -> Response {
        guard let receipt else { return self }
        var response = self
        response.headers[.tallyReceipt] = "\(receipt.log)@\(receipt.offset); durable=\(receipt.durability.rawValue)"
        return response
    }
}
