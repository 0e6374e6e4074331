// SPDX-License-Identifier: Apache-2.0

import Foundation
import TallyCore
import Testing

@testable import TallyBackends

@Suite("The copy of a checkpoint on the disk") struct CheckpointFileTests {
    private let log = StoreTest.log

    @Test func itComesBackAsItWas() async throws {
        let place = try DiskTestDirectory()
        let file = CheckpointFile(in: try DataDirectory(path: "\(place.path)/data"))
        #expect(await file.read(of: log) == nil)
        for upTo in [3, 9, 4] as [Int64] {
            try await file.write(StoreTest.checkpoint(upTo: upTo), of: log)
            #expect(await file.read(of: log) == StoreTest.checkpoint(upTo: upTo))
        }
        #expect(await file.read(of: StoreTest.logs[1]) == nil, "another log has another checkpoint")
        #expect(try place.names(in: "data").contains("checkpoint"))
    }

    @Test func whatIsDamagedIsNone() throws {
        let bytes = CheckpointFile.encode(StoreTest.checkpoint(upTo: 9), of: log)
        #expect(CheckpointFile.decode(bytes, of: log) == StoreTest.checkpoint(upTo: 9))
        for index in bytes.indices {
            for bit in 0..<8 {
                var damaged = bytes
                damaged[index] ^= 1 << UInt8(bit)
                #expect(CheckpointFile.decode(damaged, of: log) == nil)
            }
            #expect(CheckpointFile.decode(Array(bytes[..<index]), of: log) == nil)
        }
    }
}
