// SPDX-License-Identifier: Apache-2.0

import TallyCore
import TallyGzip
import Testing

@testable import TallyServer

@Suite("The work for a body is linear in its bytes, however small its parts are")
struct BatchReaderWorkTests {
    enum Content: CaseIterable {
        case spaces, newlines, markAndSpaces, openText, openTextInArray, comments, nestedObjects, nestedArrays, commas,
            lines, array

        func bytes(_ count: Int) -> [UInt8] {
            func filled(_ beginning: String, _ unit: String) -> [UInt8] {
                let unit = Array(unit.utf8)
                let start = Array(beginning.utf8)
                return start + (0..<max(0, count - start.count)).map { unit[$0 % unit.count] }
            }
            return switch self {
            case .spaces: filled("", " ")
            case .newlines: filled("", "\r\n")
            case .markAndSpaces: filled("\u{FEFF}", " \t")
            case .openText: filled("{\"kind\":\"", "a")
            case .openTextInArray: filled("[{\"id\":\"", "\\n")
            case .comments: filled("", "// no comment \n/* neither */")
            case .nestedObjects: filled("", "{\"a\":")
            case .nestedArrays: filled("", "[")
            case .commas: filled("[", ",")
            case .lines: filled("", "{\"banner\":7,\"n\":2}\n{\"banner\":x}\n \n")
            case .array: filled("[{\"banner\":7}", ",{\"banner\":7,\"kind\":\"\\u0061\"}")
            }
        }
    }

    /// Bytes that are looked at: twice by the scanner of usual events and the JSON reader, and once for the end of a line or for
    /// space, with a little for each line.
    private static let mostLooksPerByte = 5

    private func work(_ body: [UInt8], cutAt size: Int, unpacking: Bool) -> Int {
        var reader = BatchReader(backfill: false, service: CountingInMemory())
        let decoder = unpacking ? GzipDecoder() : nil
        for start in stride(from: 0, to: body.count, by: size) {
            body[start..<min(start + size, body.count)].withUnsafeBytes { part in
                guard let decoder else { return reader.read(part) }
                do { try decoder.decode(part) { reader.read($0) } } catch { Issue.record("\(error)") }
            }
        }
        // What is no JSON throws, and was looked at all the same.
        _ = try? reader.finish()
        return reader.examinedBytes
    }

    @Test("of single bytes and of larger parts", arguments: Content.allCases)
    func linear(content: Content) {
        for count in [1_000, 4_000, 16_000, 64_000, 256_000] {
            let body = content.bytes(count)
            for size in [1, 7, 4_096] {
                let steps = work(body, cutAt: size, unpacking: false)
                #expect(
                    steps <= count * BatchReaderWorkTests.mostLooksPerByte,
                    "\(count) bytes in parts of \(size): \(steps) steps")
            }
        }
    }

    @Test("of gzip that arrives byte by byte", arguments: Content.allCases)
    func linearUnpacked(content: Content) throws {
        for count in [16_000, 1_000_000] {
            let steps = work(Gzip.packed(content.bytes(count)), cutAt: 1, unpacking: true)
            #expect(steps <= count * BatchReaderWorkTests.mostLooksPerByte, "\(count) bytes: \(steps) steps")
        }
    }

    @Test("space before the first event changes neither events nor the numbers of lines")
    func spaceFirst() throws {
        let body = Array(String(repeating: " \n", count: 1_000).utf8) + Array("{\"banner\":7}\n{\"banner\":x}\n".utf8)
        let batch = try EventBatch(
            reading: body, cutAt: Array(0..<body.count), backfill: false, service: CountingInMemory())
        #expect(batch.accepted.count == 1)
        #expect(batch.rejected.map(\.place) == [.line(1_002)])
    }
}
