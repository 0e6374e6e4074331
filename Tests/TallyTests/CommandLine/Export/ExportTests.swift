// SPDX-License-Identifier: Apache-2.0

import TallyCore
import Testing

@testable import tally

struct ExportTests {
    private func minute(_ number: Int64) throws -> Minute { try #require(Minute(sinceEpoch: number)) }

    private func text(_ points: [ExportPoint], _ columns: String, _ format: ExportFormat = .csv) throws -> String {
        let columns = try ExportColumn.list(from: columns)
        var merger = RowMerger(columns: columns)
        for point in points { merger.add(point) }
        let writer = ExportWriter(format: format, columns: columns)
        return (writer.header ?? "") + merger.takeRows().map(writer.text).joined()
    }

    private func points() throws -> [ExportPoint] {
        [
            ExportPoint(minute: try minute(1), banner: StoreTest.banner(10), name: "b", kind: "click", count: 1),
            ExportPoint(
                minute: try minute(1), banner: StoreTest.banner(9), name: "a,\"x\"", kind: "impression", count: 2),
            ExportPoint(minute: try minute(0), banner: StoreTest.banner(9), name: "a,\"x\"", kind: "click", count: 4),
            ExportPoint(minute: try minute(1), banner: StoreTest.banner(9), name: "a,\"x\"", kind: "click", count: 8),
            ExportPoint(minute: try minute(1), banner: StoreTest.banner(11), name: nil, kind: "click", count: 16),
        ]
    }

    @Test func rowsAreSortedByMinuteThenByTheBytesOfTheOtherColumns() throws {
        #expect(
            try text(points(), "count,minute,kind,banner") == """
                count,minute,kind,banner
                4,1970-01-01T00:00:00Z,click,9
                1,1970-01-01T00:01:00Z,click,10
                16,1970-01-01T00:01:00Z,click,11
                8,1970-01-01T00:01:00Z,click,9
                2,1970-01-01T00:01:00Z,impression,9

                """)
    }

    @Test func rowsThatLookAlikeAreOneWithTheirSum() throws {
        #expect(
            try text(points(), "minute,name=path,count", .tsv) == """
                minute\tpath\tcount
                1970-01-01T00:00:00Z\ta,"x"\t4
                1970-01-01T00:01:00Z\t\t16
                1970-01-01T00:01:00Z\ta,"x"\t10
                1970-01-01T00:01:00Z\tb\t1

                """)
        #expect(try text(points(), "kind,count") == "kind,count\nclick,29\nimpression,2\n")
        #expect(try text(points(), "count") == "count\n31\n")
    }

    @Test func jsonHasNumbersNullAndEscapes() throws {
        #expect(
            try text(points(), "name,banner,count", .ndjson) == """
                {"name":null,"banner":11,"count":16}
                {"name":"a,\\"x\\"","banner":9,"count":14}
                {"name":"b","banner":10,"count":1}

                """)
        #expect(JSONText.string("a\u{1}\n\t\\é") == #""a\u0001\n\t\\é""#)
    }

    @Test func theOrderIsThatOfBytesNotOfLanguages() throws {
        let names = ["é", "z", "e\u{301}x", "E", "😀", "\u{FFFD}"]
        let points = try names.map {
            ExportPoint(minute: try minute(0), banner: StoreTest.banner(1), name: $0, kind: "click", count: 1)
        }
        let expected = names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.joined(separator: "\n")
        #expect(try text(points, "name") == "name\n\(expected)\n")
    }

    @Test func namesThatDifferInTheirBytesAreTwoRows() throws {
        let points = try ["caf\u{E9}", "cafe\u{301}", "caf\u{E9}"].map {
            ExportPoint(minute: try minute(0), banner: StoreTest.banner(1), name: $0, kind: "click", count: 1)
        }
        let expected = "name,count\ncafe\u{301},1\ncaf\u{E9},2\n"
        #expect(Array(try text(points, "name,count").utf8) == Array(expected.utf8))
    }

    @Test func aSumThatDoesNotFitStaysAtTheLargest() throws {
        let point = ExportPoint(
            minute: try minute(0), banner: StoreTest.banner(1), name: nil, kind: "click", count: .max)
        #expect(try text([point, point], "count") == "count\n\(Int64.max)\n")
    }

    @Test(
        "columns that can't be are refused with what is allowed",
        arguments: ["", "minute,", "minutes", "minute,minute", "name=x,kind=x", "name=", "count,name=count", "Minute"])
    func refusesColumns(text: String) throws {
        let failure = try #require(throws: CommandFailure.self) { try ExportColumn.list(from: text) }
        #expect(failure.code == 64)
        #expect(failure.lines.first?.contains("minute, banner, name, kind and count") == true)
    }

    @Test func windowsCoverTheRangeOnceAndShrinkWhereMuchHappened() throws {
        let range = try minute(100)..<minute(4_000)
        var windows = ExportWindows(range)
        var covered: [Range<Minute>] = []
        while let window = windows.window {
            let isBusy = window.contains(try minute(1_600)) && window.count > 10
            if isBusy, windows.shrink() { continue }
            covered.append(window)
            windows.finish(isSmall: !isBusy)
        }
        #expect(covered.first?.lowerBound == range.lowerBound)
        #expect(covered.last?.upperBound == range.upperBound)
        #expect(zip(covered, covered.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
        #expect(covered.allSatisfy { $0.count <= 1_440 })
        #expect(covered.contains { $0.count <= 10 })
    }

    @Test func aSingleMinuteIsNotCut() throws {
        var windows = ExportWindows(try minute(5)..<minute(6))
        let hasShrunk = windows.shrink()
        #expect(!hasShrunk)
        windows.finish(isSmall: false)
        #expect(windows.window == nil)
        #expect(ExportWindows(try minute(5)..<minute(5)).window == nil)
    }

    @Test func theQueryNamesRangeKindsAndBanners() throws {
        let banner = try #require(BannerID(7))
        var request = ExportRequest(
            range: try minute(0)..<minute(60), kinds: [.click], banners: [],
            writer: ExportWriter(format: .csv, columns: ExportColumn.standard), hasHeader: true)
        let url = try #require(ServerURL("http://h/base/")).url(
            path: "/v1/series", query: request.query(request.range, of: [banner]))
        #expect(
            url == "http://h/base/v1/series?from=1970-01-01T00%3A00%3A00Z&to=1970-01-01T01%3A00%3A00Z&step=1m"
                + "&format=ndjson&kind=click&banner=7")
        request.traffic = [("traffic", "net")]
        #expect(request.query(request.range, of: []).last?.value == "net")
    }
}

extension Range<Minute> {
    fileprivate var count: Int64 { Int64(upperBound.sinceEpoch) - Int64(lowerBound.sinceEpoch) }
}
