// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore
import NIOHTTP1

extension Request {
    /// The whole body.
    ///
    /// - Throws: `BodyTooLarge` when it is larger than `limit`: at once when the head says so, else as soon as it is.
    ///   `BodiesTooLarge` when those of all requests are. `BadRequest` when the client stopped before it had sent what it announced.
    func wholeBody(upTo limit: Int) async throws -> [UInt8] {
        let announced = headers[.contentLength].flatMap { Int($0) }
        if let announced, announced > limit { throw BodyTooLarge(limit: limit) }
        var bytes: [UInt8] = []
        // An announcement costs nothing, so it is believed only so far.
        bytes.reserveCapacity(min(announced ?? 0, 64 << 10))
        do {
            for try await part in body {
                guard bytes.count + part.readableBytes <= limit else { throw BodyTooLarge(limit: limit) }
                try BodyBudget.Share.current?.take(part.readableBytes)
                bytes.append(contentsOf: part.readableBytesView)
            }
        } catch let error as BodyTooLarge {
            throw error
        } catch let error as BodiesTooLarge {
            throw error
        } catch let error as HTTPParserError {
            throw error  // Hummingbird closes the connection.
        } catch {
            throw BadRequest(detail: "the connection broke after \(bytes.count) bytes", reason: "truncated_body")
        }
        if let announced, bytes.count < announced {
            throw BadRequest(
                detail: "the body ended after \(bytes.count) of \(announced) bytes", reason: "truncated_body")
        }
        return bytes
    }
}
