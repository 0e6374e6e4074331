// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore

@testable import TallyServer

/// The routes over a service, asked without a socket, or over one.
struct Routes<Service: CountingService>: Sendable {
    let service: Service
    let metrics = HTTPMetrics(registry: MetricsRegistry())
    var configuration = HTTPConfiguration(port: 0)

    init(service: Service) { self.service = service }

    var application: some ApplicationProtocol {
        makeApplication(
            service: service, metrics: metrics, configuration: configuration,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    @discardableResult
    func send(
        _ method: HTTPRequest.Method, _ uri: String, _ body: String? = nil, headers: HTTPFields = [:]
    ) async throws -> Answer {
        try await send(method, uri, bytes: body.map { Array($0.utf8) }, headers: headers)
    }

    func send(
        _ method: HTTPRequest.Method, _ uri: String, bytes: [UInt8]?, headers: HTTPFields = [:], live: Bool = false
    ) async throws -> Answer {
        try await application.test(live ? .live : .router) { client in
            let response = try await client.executeRequest(
                uri: uri, method: method, headers: headers, body: bytes.map { ByteBuffer(bytes: $0) })
            return Answer(
                status: response.status.code, headers: response.headers, bytes: Array(response.body.readableBytesView))
        }
    }

    func get(_ uri: String, headers: HTTPFields = [:]) async throws -> Answer {
        try await send(.get, uri, headers: headers)
    }

    func refusals(_ reason: String) -> UInt64 { metrics.refusals(reason).value }
}

/// The routes alone: what is behind them is a dictionary that can be told to fail.
typealias HTTPTest = Routes<CountingInMemory>

extension Routes<CountingInMemory> {
    init(_ service: CountingInMemory = CountingInMemory()) { self.init(service: service) }
}

struct Answer: Sendable {
    let status: Int
    let headers: HTTPFields
    let bytes: [UInt8]

    var text: String { String(decoding: bytes, as: UTF8.self) }
    var type: String? { headers[.contentType] }

    /// The body as JSON, read by Foundation: a judge of its own.
    var json: NSDictionary? {
        (try? JSONSerialization.jsonObject(with: Data(bytes))) as? NSDictionary
    }

    /// The text of a refusal, in either style.
    var error: String { (json?["detail"] ?? json?["error"]) as? String ?? "" }
    var isProblem: Bool { type == "application/problem+json" && json?["status"] as? Int == status }
}
