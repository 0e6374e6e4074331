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
        var bytes: [UInt8] = []
        // An announcement costs nothing, so it is believed only so far.
        bytes.reserveCapacity(min(announcedBytes ?? 0, 64 << 10))
        try await readBody(upTo: limit) { part in bytes.append(contentsOf: part) }
        return bytes
    }

    /// Hands on the body, part by part as it arrives.
    ///
    /// - Throws: what `take` throws, and the same as `wholeBody`.
    func readBody(upTo limit: Int, _ take: (UnsafeRawBufferPointer) throws -> Void) async throws {
        if let announcedBytes, announcedBytes > limit { throw BodyTooLarge(limit: limit) }
        var count = 0
        do {
            for try await part in body {
                count += part.readableBytes
                guard count <= limit else { throw BodyTooLarge(limit: limit) }
                try BodyBudget.Share.current?.take(part.readableBytes)
                try part.withUnsafeReadableBytes(take)
            }
        } catch let error as BodyTooLarge {
            throw error
        } catch let error as BodiesTooLarge {
            throw error
        } catch let error as HTTPParserError {
            throw error  // Hummingbird closes the connection.
        } catch {
            throw BadRequest(detail: "the connection broke after \(count) bytes", reason: "truncated_body")
        }
        if let announcedBytes, count < announcedBytes {
            throw BadRequest(
                detail: "the body ended after \(count) of \(announcedBytes) bytes", reason: "truncated_body")
        }
    }

    private var announcedBytes: Int? { headers[.contentLength].flatMap { Int($0) } }
}
