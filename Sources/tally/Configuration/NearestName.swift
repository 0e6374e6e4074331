// SPDX-License-Identifier: Apache-2.0

/// What someone who mistyped a name most likely meant.
enum NearestName {
    /// The first of the names with the smallest distance.
    static func nearest(to name: String, among names: [String]) -> String {
        precondition(!names.isEmpty, "there is always a name to choose from")
        let distances = names.map { ($0, distance(Array(name.utf8), Array($0.utf8))) }
        return distances.min { $0.1 < $1.1 }?.0 ?? names[0]
    }

    /// How many bytes have to be inserted, removed or replaced (Wagner and Fischer 1974).
    static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var previous = Array(0...right.count)
        for (row, byte) in left.enumerated() {
            var current = [row + 1]
            for column in right.indices {
                let replaced = previous[column] + (right[column] == byte ? 0 : 1)
                current.append(min(replaced, previous[column + 1] + 1, current[column] + 1))
            }
            previous = current
        }
        return previous[right.count]
    }
}
