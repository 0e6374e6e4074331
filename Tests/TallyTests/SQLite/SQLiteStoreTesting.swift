// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import TallyCore
import Testing

@testable import TallyBackends

/// Suites about one store in a directory of its own.
protocol SQLiteStoreTesting {
    var directory: StoreTestDirectory { get }
}

extension SQLiteStoreTesting {
    /// Of the store.
    var path: String { directory.file() }

    func open(_ layout: Layout = .minute) throws -> SQLiteStore {
        try SQLiteStore(path: path, layout: layout, busyTimeout: .milliseconds(50))
    }

    /// Changes the closed file behind the store's back.
    func tamper(_ sql: String) throws {
        let queue = try DatabaseQueue(path: path)
        try queue.write { try $0.execute(sql: sql) }
        try queue.close()
    }

    /// A store that was filled and closed, changed behind its back, and opened again.
    func open(
        _ layout: Layout = .minute, tamperedBy sql: String, filledBy fill: (SQLiteStore) async throws -> Void
    ) async throws -> SQLiteStore {
        let store = try open(layout)
        try await fill(store)
        try store.close()
        try tamper(sql)
        return try open(layout)
    }

    /// Puts other bytes in the place of the store's file.
    func overwrite(with bytes: Data) throws { try bytes.write(to: URL(fileURLWithPath: path)) }

    func row(
        _ id: Int64 = 1, minute: Int64 = 0, count: Int64 = 1, upTo: Int64 = 1, in layout: Layout = .minute
    ) -> TallyCore.Row {
        StoreTest.row(id, minute: minute, count: count, upTo: upTo, layout)
    }

    func isDamaged(_ error: StoreError) -> Bool { if case .damaged = error { true } else { false } }
    func isUnavailable(_ error: StoreError) -> Bool { if case .unavailable = error { true } else { false } }

    /// Expects an error of the store that says all these words.
    func expectFailure(
        _ kind: (StoreError) -> Bool, saying words: String..., from body: () async throws -> Void,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async {
        do {
            try await body()
            Issue.record("nothing was thrown", sourceLocation: sourceLocation)
        } catch let error as StoreError {
            #expect(kind(error), "\(error)", sourceLocation: sourceLocation)
            for word in words { #expect(error.description.contains(word), "\(error)", sourceLocation: sourceLocation) }
        } catch {
            Issue.record("an error of another kind: \(error)", sourceLocation: sourceLocation)
        }
    }
}
