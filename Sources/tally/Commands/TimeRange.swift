// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// The minutes that `--from` and `--to` mean.
enum TimeRange {
    /// - Parameters:
    ///   - from: floored to the minute.
    ///   - to: the end, which is not included; raised to a whole minute, so that nothing asked for is left out.
    /// - Throws: `.usage` when the range is empty.
    static func minutes(from: Timestamp, to: Timestamp) throws(CommandFailure) -> Range<Minute> {
        let first = Minute(from)
        let end = Minute(Timestamp(milliseconds: to.milliseconds + 59_999))
        guard first < end else {
            throw .usage([
                "--to must lie behind --from: \(first.text()) to \(end.text()) is no time at all"
            ])
        }
        return first..<end
    }
}
