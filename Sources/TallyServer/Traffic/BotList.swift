// SPDX-License-Identifier: Apache-2.0

/// Tells by the `User-Agent` who says of himself that he is a program: `bots.txt`.
struct BotList: Sendable {
    private struct Word: Sendable {
        /// In small letters.
        let text: [UInt8]
        let endsWord: Bool
        /// Whoever has it is no program, as far as this text goes.
        let isException: Bool
    }

    static let kept = BotList(String(decoding: PackageResources.bots_txt, as: UTF8.self))

    /// By their first byte.
    private var words: [[Word]] = Array(repeating: [], count: 256)

    /// - Parameter text: as `bots.txt` explains it.
    init(_ text: String) {
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            var word = line.prefix { $0 != "\t" }.lowercased()[...]
            let isException = word.hasPrefix("!")
            if isException { word = word.dropFirst() }
            let endsWord = word.hasSuffix("$")
            if endsWord { word = word.dropLast() }
            guard let first = word.utf8.first else { continue }
            words[Int(first)].append(
                Word(text: Array(word.utf8), endsWord: endsWord, isException: isException))
        }
    }

    /// - Parameter userAgent: empty when there is none, which is no program's confession.
    func contains(_ userAgent: UnsafeRawBufferPointer) -> Bool {
        var found = false
        var place = 0
        while place < userAgent.count {
            var step = 1
            for word in words[Int(BotList.small(userAgent[place]))] where BotList.stands(word, at: place, in: userAgent)
            {
                // What an exception covers is not looked at.
                if word.isException { step = max(step, word.text.count) } else { found = true }
            }
            place += step
        }
        return found
    }

    private static func stands(_ word: Word, at place: Int, in text: UnsafeRawBufferPointer) -> Bool {
        let end = place + word.text.count
        guard end <= text.count else { return false }
        for index in word.text.indices where small(text[place + index]) != word.text[index] { return false }
        return !word.endsWord || end == text.count || !(0x61...0x7A).contains(small(text[end]))
    }

    private static func small(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }
}
