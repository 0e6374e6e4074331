// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import TallyGzip

/// How a body is packed, by its Content-Encoding (RFC 9110, section 8.4).
enum ContentEncoding {
    case identity
    case gzip

    static let allowed = ["gzip", "identity"]

    init(_ headers: HTTPFields) throws(UnknownContentEncoding) {
        let names = headers[values: .contentEncoding].joined(separator: ",").split(separator: ",").map {
            $0.trimmingSpace.lowercased()
        }
        switch names.filter({ $0 != "identity" }) {
        case []: self = .identity
        case ["gzip"], ["x-gzip"]: self = .gzip
        default: throw UnknownContentEncoding(encoding: names.joined(separator: ", "), allowed: ContentEncoding.allowed)
        }
    }
}

extension Request {
    /// Hands on the body, unpacked, part by part as it arrives.
    ///
    /// - Parameter limit: of the body as it is sent, and also of what it unpacks to.
    /// - Throws: `UnknownContentEncoding`, `BadRequest` for what can't be unpacked, and the same as `wholeBody`.
    func readUnpackedBody(upTo limit: Int, _ take: (UnsafeRawBufferPointer) -> Void) async throws {
        switch try ContentEncoding(headers) {
        case .identity: try await readBody(upTo: limit, take)
        case .gzip: try await readGzip(upTo: limit, take)
        }
    }

    private func readGzip(upTo limit: Int, _ take: (UnsafeRawBufferPointer) -> Void) async throws {
        let decoder = GzipDecoder()
        var count = 0
        // The rest of a body that can't be unpacked is read all the same, so that the connection can go on.
        var problem: GzipDecoder.Problem?
        try await readBody(upTo: limit) { part in
            if problem != nil { return }
            do {
                try decoder.decode(part) { piece in
                    count += piece.count
                    guard count <= limit else { throw BodyTooLarge(limit: limit) }
                    try BodyBudget.Share.current?.take(piece.count)
                    take(piece)
                }
            } catch let error as GzipDecoder.Problem {
                problem = error
            }
        }
        do throws(GzipDecoder.Problem) {
            if let problem { throw problem }
            try decoder.finish()
        } catch {
            throw BadRequest(detail: "the body can't be unpacked: \(error)", reason: "bad_gzip")
        }
    }
}

extension Substring {
    /// Without spaces and tabs at both ends.
    var trimmingSpace: Substring {
        var rest = drop { $0 == " " || $0 == "\t" }
        while let last = rest.last, last == " " || last == "\t" { rest.removeLast() }
        return rest
    }
}
