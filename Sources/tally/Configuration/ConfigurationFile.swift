// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// A configuration file: a JSON object whose keys are the flags' names. What is wrong with it is kept, to be told
/// together with all else.
struct ConfigurationFile: Sendable {
    let path: String
    let values: [String: String]
    let problems: [String]

    /// - Parameter contents: the bytes of the file.
    init(path: String, contents: [UInt8]) {
        self.path = path
        var values: [String: String] = [:]
        var problems: [String] = []
        do {
            let entries = try JSONDecoder().decode([String: Entry].self, from: Data(contents))
            for (name, entry) in entries.sorted(by: { $0.key < $1.key }) {
                if let problem = ConfigurationFile.problem(with: name, entry) {
                    problems.append("\(path): \(problem)")
                } else {
                    values[name] = entry.text
                }
            }
        } catch {
            problems.append(
                "\(path): it is no JSON object; allowed is one like {\"flush-every\": \"60s\", \"layout\": \"hour\"}")
        }
        self.values = values
        self.problems = problems
    }

    private static func problem(with name: String, _ entry: Entry) -> String? {
        guard KnownSettings.fileNames.contains(name) else {
            let nearest = NearestName.nearest(to: name, among: KnownSettings.fileNames)
            return "“\(PlainText.of(name))” is no setting; did you mean “\(nearest)”?"
        }
        return entry.text == nil ? "“\(name)” must be a text, a number or a list of texts" : nil
    }

    /// One value, as the text that a flag would have.
    private struct Entry: Decodable {
        /// nil for what is neither a text, a whole number nor a list of texts.
        let text: String?

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let text = try? container.decode(String.self) {
                self.text = text
            } else if let number = try? container.decode(Int64.self) {
                self.text = String(number)
            } else {
                self.text = (try? container.decode([String].self))?.joined(separator: ",")
            }
        }
    }
}
