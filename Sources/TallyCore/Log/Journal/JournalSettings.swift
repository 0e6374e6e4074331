// SPDX-License-Identifier: Apache-2.0

/// How a journal is laid out.
package struct JournalSettings: Equatable, Sendable {
    /// The size of a new segment; one chunk that is larger gets a segment of its own size.
    package let segmentBytes: Int

    package static let `default` = JournalSettings(unchecked: 64 << 20)
    package static let allowedSegmentBytes = 4096...(1 << 30)

    /// - Returns: nil when the size is out of range or no multiple of 4096.
    package init?(segmentBytes: Int) {
        guard JournalSettings.allowedSegmentBytes.contains(segmentBytes), segmentBytes % 4096 == 0 else { return nil }
        self.segmentBytes = segmentBytes
    }

    /// For tests, which try every byte of a segment, and for the simulation, whose batches are to reach into several.
    package init(unchecked segmentBytes: Int) { self.segmentBytes = segmentBytes }

    /// What is allowed, for the message of an error.
    package static let allowed = "the size of a segment is a multiple of 4096 from 4096 to 1073741824 bytes"
}
