// SPDX-License-Identifier: Apache-2.0

import TallyBackends
import TallyCore
import Testing

@Suite("A million rows in one flush", .serialized, .timeLimit(.minutes(10)))
struct LargeFlushTests {
    /// Not SQLite's hours: packing a million takes many minutes in a build for debugging. `make measure` does that.
    private static let subjects = CopySubject.all.filter { $0.kind != .sqlite || $0.layout == .minute }

    @Test("all of its statements are there", arguments: subjects)
    func aMillionRows(_ subject: CopySubject) async throws {
        try await subject.withStore { store in
            let rows = (1...Int64(1_000_000)).map {
                StoreTest.row($0, minute: $0 % 60, count: $0, upTo: 7, subject.layout)
            }
            try await store.merge(rows, of: StoreTest.log)
            // Some of each statement of 10,000.
            let some = stride(from: 0, to: rows.count, by: 333).map { rows[$0] } + [rows[999_999]]
            #expect(try await Set(store.rows(of: StoreTest.log, at: some.map(\.key))) == Set(some))
        }
    }

    @Test("so are more sightings than one statement has", arguments: CopySubject.all.filter { $0.layout == .minute })
    func manySightings(_ subject: CopySubject) async throws {
        try await subject.withStore { store in
            let sightings = (0..<Int64(123_456)).map { index -> Sighting in
                StoreTest.sighting(index / 1_000 + 1, register: UInt16(index % 1_000), rank: UInt8(index % 55) + 1)
            }
            try await store.merge(sightings.shuffled())
            #expect(try await Set(store.sightings(of: nil, in: .first ... .last)) == Set(sightings))
        }
    }
}
