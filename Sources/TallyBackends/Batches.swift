// SPDX-License-Identifier: Apache-2.0

extension Array {
    /// All of it in order, so many at a time; the last may be shorter. Of an empty one there is none.
    func batches(of most: Int) -> [ArraySlice<Element>] {
        stride(from: 0, to: count, by: most).map { self[$0..<Swift.min($0 + most, count)] }
    }
}
