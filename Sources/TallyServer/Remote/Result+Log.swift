// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// What a log answers, as a value.
extension Result {
    var failure: Failure? {
        if case .failure(let error) = self { return error }
        return nil
    }
}

extension Result where Failure == LogError {
    static func of(appending chunks: [Chunk], to log: any EventLog) async -> Result
    where Success == [LogOffset] {
        do throws(LogError) { return .success(try await log.append(chunks)) } catch { return .failure(error) }
    }

    static func of(reading log: any EventLog, from offset: LogOffset, maximumBytes: Int) async -> Result
    where Success == [LogEntry] {
        do throws(LogError) {
            return .success(try await log.read(from: offset, maximumBytes: maximumBytes))
        } catch { return .failure(error) }
    }

    static func of(askingFor log: any EventLog) async -> Result where Success == LogOffset {
        do throws(LogError) { return .success(try await log.end()) } catch { return .failure(error) }
    }

    static func of(trimming log: any EventLog, before offset: LogOffset) async -> Result
    where Success == Void {
        do throws(LogError) { return .success(try await log.trim(before: offset)) } catch { return .failure(error) }
    }
}
