// SPDX-License-Identifier: Apache-2.0

/// Tells whether one of many texts stands in another, with one step of a table for each byte (Aho and Corasick, 1975): what a stranger
/// sends costs no more than its length, however many texts there are.
struct TextMatcher: Sendable {
    /// Of the alphabet: a byte that stands in no text, the beginning, the end, and then each byte that stands in a text.
    private enum Class {
        static let other: UInt8 = 0
        static let beginning: UInt8 = 1
        static let end: UInt8 = 2
        static let firstByte = 3
    }

    private var classes = [UInt8](repeating: Class.other, count: 256)
    private var width: Int
    /// The state that follows a state and a class. 0 is the first.
    private var next: [UInt16]
    /// Whether a text ends in this state.
    private var isMatch: [Bool] = [false]

    /// - Parameter texts: none empty, with at most 200 different bytes and 65,535 bytes together. A text may begin with `^`, which is the
    ///   beginning of what is searched, and end with `$`, which is its end.
    init(_ texts: [String]) {
        let words = texts.map(TextMatcher.word)
        let bytes = Set(words.flatMap(\.bytes)).sorted()
        precondition(bytes.count <= 200, "a class is one byte")
        precondition(words.allSatisfy { !$0.bytes.isEmpty }, "an empty text stands everywhere")
        precondition(words.reduce(0) { $0 + $1.bytes.count + 2 } <= Int(UInt16.max), "a state is two bytes")
        for (index, byte) in bytes.enumerated() { classes[Int(byte)] = UInt8(Class.firstByte + index) }
        width = Class.firstByte + bytes.count
        next = Array(repeating: 0, count: width)
        for word in words { insert(word) }
        link()
    }

    private struct Word {
        var bytes: [UInt8]
        var isAtBeginning = false
        var isAtEnd = false
    }

    private static func word(_ text: String) -> Word {
        var word = Word(bytes: Array(text.utf8))
        if word.bytes.first == UInt8(ascii: "^") {
            word.isAtBeginning = true
            word.bytes.removeFirst()
        }
        if word.bytes.last == UInt8(ascii: "$") {
            word.isAtEnd = true
            word.bytes.removeLast()
        }
        return word
    }

    /// Builds the tree of the texts: 0 stands for a child that is missing.
    private mutating func insert(_ word: Word) {
        var path = word.bytes.map { classes[Int($0)] }
        if word.isAtBeginning { path.insert(Class.beginning, at: 0) }
        if word.isAtEnd { path.append(Class.end) }
        var state = 0
        for step in path {
            let place = state * width + Int(step)
            if next[place] == 0 {
                next[place] = UInt16(isMatch.count)
                next.append(contentsOf: repeatElement(0, count: width))
                isMatch.append(false)
            }
            state = Int(next[place])
        }
        isMatch[state] = true
    }

    /// Gives each state all its followers: where the tree ends, those of the longest text that has begun within what was read.
    private mutating func link() {
        var fallback = [Int](repeating: 0, count: isMatch.count)
        var queue = (0..<width).map { Int(next[$0]) }.filter { $0 != 0 }
        var position = 0
        while position < queue.count {
            let state = queue[position]
            position += 1
            for step in 0..<width {
                let place = state * width + step
                let other = next[fallback[state] * width + step]
                if next[place] == 0 {
                    next[place] = other
                } else {
                    let child = Int(next[place])
                    fallback[child] = Int(other)
                    isMatch[child] = isMatch[child] || isMatch[Int(other)]
                    queue.append(child)
                }
            }
        }
    }

    func matches(_ text: UnsafeRawBufferPointer) -> Bool {
        var state = Int(next[Int(Class.beginning)])
        for byte in text {
            state = Int(next[state * width + Int(classes[Int(byte)])])
            if isMatch[state] { return true }
        }
        return isMatch[Int(next[state * width + Int(Class.end)])]
    }

    /// How much memory the table takes.
    var byteCount: Int { next.count * 2 + isMatch.count }
}
