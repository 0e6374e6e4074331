// SPDX-License-Identifier: Apache-2.0

enum ExportFormat: String, CaseIterable, Sendable {
    case csv
    case tsv
    case ndjson
}
