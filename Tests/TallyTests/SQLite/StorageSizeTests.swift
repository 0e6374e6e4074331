// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRDB
import TallyBackends
import TallyCore
import TallySimulator
import Testing

/// What a minute costs on the disk: 100 banners, some more and some less busy, over days of minutes with about 3 clicks.
@Suite("The size of a store at rest", .serialized)
struct StorageSizeTests {
    private static let banners = 100

    @Test("an hour row takes at most 1.3 bytes for each minute with a count")
    func hourRowsAreSmall() async throws {
        let measured = try await measure(.hour, days: 14)
        print("SQLite, layout hour, 100 banners x 14 days: \(measured)")
        #expect(measured.bytesPerMinute <= 1.3)
    }

    @Test("a minute row takes at most 25 bytes")
    func minuteRowsAreSmall() async throws {
        // A row is a row: fewer days say the same and take less of the test's time.
        let measured = try await measure(.minute, days: 1)
        print("SQLite, layout minute, 100 banners x 1 day: \(measured)")
        #expect(measured.bytesPerMinute <= 25)
    }

    private struct Measurement: CustomStringConvertible {
        var minutes = 0
        var rows = 0
        var size = 0
        var vacuumedSize = 0
        var seconds = 0.0

        var bytesPerMinute: Double { Double(size) / Double(minutes) }

        var description: String {
            let vacuumed = Double(vacuumedSize) / Double(minutes)
            return "\(minutes) minutes with a count, \(String(format: "%.3f", bytesPerMinute)) bytes each as written, "
                + "\(String(format: "%.3f", vacuumed)) after VACUUM; \(Int(Double(rows) / seconds)) rows/s merged"
        }
    }

    /// Writes as the server does: the rows of all banners of an hour, one flush after the other.
    private func measure(_ layout: Layout, days: Int) async throws -> Measurement {
        let directory = try StoreTestDirectory()
        let store = try SQLiteStore(path: directory.file(), layout: layout)
        var random = SeededGenerator(seed: 42)
        var measurement = Measurement()
        for hour in 0..<days * 24 {
            let rows = hourOfRows(hour, layout, using: &random)
            measurement.minutes += rows.reduce(0) { $0 + $1.minuteCounts.count }
            measurement.rows += rows.count
            let started = ContinuousClock.now
            try await store.merge(rows, of: StoreTest.log)
            measurement.seconds += (ContinuousClock.now - started) / .seconds(1)
        }
        try store.close()
        measurement.size = try size(of: directory.file())
        let queue = try DatabaseQueue(path: directory.file())
        try await queue.vacuum()
        try queue.close()
        measurement.vacuumedSize = try size(of: directory.file())
        return measurement
    }

    private func hourOfRows(_ hour: Int, _ layout: Layout, using random: inout SeededGenerator) -> [TallyCore.Row] {
        (1...StorageSizeTests.banners).flatMap { banner -> [TallyCore.Row] in
            let counts = (0..<60).map { _ in count(using: &random) }
            // The offset at which a minute was changed last: some hundred chunks a minute.
            let upTo = Int64(hour + 1) * 60 * 100
            let key = StoreTest.key(Int64(banner), minute: Int64(hour) * 60, layout)
            if layout == .hour { return [TallyCore.Row(key: key, counts: .hour(counts), upTo: LogOffset(upTo))] }
            return counts.enumerated().filter { $0.element > 0 }.map { index, count in
                StoreTest.row(
                    Int64(banner), minute: Int64(hour * 60 + index), count: count, upTo: upTo + Int64(index) * 100,
                    .minute)
            }
        }
    }

    /// Geometric with the mean 3: most minutes have few clicks, a quarter none, and now and then there are many.
    private func count(using random: inout SeededGenerator) -> Int64 {
        var count: Int64 = 0
        while !random.isTrue(oneIn: 4) { count += 1 }
        return count
    }

    private func size(of path: String) throws -> Int {
        try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
    }
}
