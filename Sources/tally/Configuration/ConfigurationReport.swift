// SPDX-License-Identifier: Apache-2.0

/// What `--print-config` prints: every setting, its value, and where the value comes from.
enum ConfigurationReport {
    static func text(_ reader: SettingsReader) -> String {
        let rows = ServerSettings.all.map { setting in
            let (text, source) = reader.text(of: setting)
            return [setting.name, Secrets.hidden(in: PlainText.of(text)), "\(source)"]
        }
        return TextTable(header: ["setting", "value", "from"], rows: rows).text
    }
}
