// SPDX-License-Identifier: Apache-2.0

import Configuration
import TallyCore

/// Finds each setting's value: flags first, then the environment, then the file, then the default. It notes every
/// problem on the way, so that all of them are told at once.
struct SettingsReader {
    private let flags: InMemoryProvider
    private let environment: EnvironmentVariablesProvider
    private let file: InMemoryProvider
    private let filePath: String
    private(set) var problems: [String] = []
    /// What is odd but no error.
    private(set) var warnings: [String] = []

    /// - Parameters:
    ///   - flags: by the setting's name.
    ///   - environment: all variables of the process. An empty one counts as not set.
    ///   - file: nil when there is none.
    init(flags: [String: String], environment: [String: String], file: ConfigurationFile?) {
        let given = environment.filter { !$0.value.isEmpty }
        self.flags = SettingsReader.provider("flags", flags)
        self.environment = EnvironmentVariablesProvider(environmentVariables: given)
        self.file = SettingsReader.provider("file", file?.values ?? [:])
        self.filePath = file?.path ?? ""
        problems = file?.problems ?? []
        warnings = SettingsReader.unknownVariables(in: given)
    }

    /// The value, or when it is wrong the default, with the problem noted.
    mutating func value<Value>(of setting: Setting<Value>) -> Value {
        let (text, source) = text(of: setting)
        do throws(SettingRefusal) {
            return try setting.parse(text)
        } catch {
            problems.append(SettingsReader.problem(text, of: setting, from: source, error))
            return SettingsReader.defaultValue(of: setting)
        }
    }

    /// Notes what is wrong with several values together.
    mutating func note(_ problem: String) { problems.append(problem) }

    /// The text that decides, and where it stands.
    func text(of setting: any AnySetting) -> (text: String, source: SettingSource) {
        if let text = lookUp([setting.name], in: flags) { return (text, .flag(setting.name)) }
        if let text = lookUp(["tally", setting.name], in: environment) {
            return (text, .environment(setting.environmentName))
        }
        if let text = lookUp([setting.name], in: file) { return (text, .file(filePath)) }
        guard setting.defaultText.contains("<data>") else { return (setting.defaultText, .standard) }
        return (setting.defaultText.replacing("<data>", with: text(of: SharedSettings.data).text), .standard)
    }

    /// - Throws: `.usage` with all problems, if there are any.
    func throwProblems() throws(CommandFailure) {
        if !problems.isEmpty { throw .usage(problems) }
    }

    private func lookUp(_ key: [String], in provider: some ConfigProvider) -> String? {
        // All values are texts here, so that reading one as a text can't fail.
        guard case .string(let text) = try? provider.value(forKey: AbsoluteConfigKey(key), type: .string).value?.content
        else { return nil }
        return text
    }

    private static func provider(_ name: String, _ values: [String: String]) -> InMemoryProvider {
        let pairs = values.map { (AbsoluteConfigKey([$0.key]), ConfigValue(.string($0.value), isSecret: false)) }
        return InMemoryProvider(name: name, values: Dictionary(uniqueKeysWithValues: pairs))
    }

    private static func defaultValue<Value>(of setting: Setting<Value>) -> Value {
        guard let value = try? setting.parse(setting.defaultText) else {
            preconditionFailure("the default of every setting is a value of it")
        }
        return value
    }

    private static func problem(
        _ text: String, of setting: any AnySetting, from source: SettingSource, _ refusal: SettingRefusal
    ) -> String {
        let place =
            switch source {
            case .flag, .standard: "--\(setting.name)"
            case .environment(let name): name
            case .file(let path): "“\(setting.name)” in \(path)"
            }
        let shown = Secrets.hidden(in: PlainText.of(text))
        switch refusal {
        case .notAllowed: return "\(place): “\(shown)” is not allowed; allowed: \(setting.allowed)"
        case .because(let reason): return "\(place): “\(shown)”: \(reason)"
        }
    }

    private static func unknownVariables(in environment: [String: String]) -> [String] {
        environment.keys.filter { $0.hasPrefix("TALLY_") && !KnownSettings.environmentNames.contains($0) }.sorted().map
        {
            "the environment variable \($0) means nothing here; did you mean "
                + "\(NearestName.nearest(to: $0, among: KnownSettings.environmentNames))?"
        }
    }
}
