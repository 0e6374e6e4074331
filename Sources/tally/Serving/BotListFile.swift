// SPDX-License-Identifier: Apache-2.0

import Glibc
import Logging
import ServiceLifecycle
import TallyBackends
import TallyServer

/// Reads the operator's list of bots, and again whenever its file is another.
struct BotListFile: Sendable {
    /// What tells one state of a file from another without reading it.
    private struct Version: Equatable {
        var device: UInt64
        var inode: UInt64
        var size: Int64
        var seconds: Int
        var nanoseconds: Int
    }

    let path: String
    /// Of the last reading, whether it was a list or not; nil before the first, and while there is no file.
    private var version: Version?

    init(path: String) { self.path = path }

    /// - Returns: the list, when the file is another than at the last reading; nil when it is the same.
    /// - Throws: `.failed` when it can't be read, or is no list. It is not tried again before the file is another.
    mutating func readWhenChanged() throws(CommandFailure) -> OperatorBotList? {
        var status = stat()
        guard stat(path, &status) == 0 else {
            let isNew = version != nil
            version = nil
            guard isNew else { return nil }
            throw .failed("\(path): \(SystemError.text(errno))")
        }
        // Taken before the file is read: what is written meanwhile makes another version.
        let found = Version(
            device: UInt64(status.st_dev), inode: UInt64(status.st_ino), size: Int64(status.st_size),
            seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec)
        guard found != version else { return nil }
        version = found
        return try read()
    }

    /// - Throws: `.failed` when there is no file, or it is no list.
    mutating func readFirst() throws(CommandFailure) -> OperatorBotList {
        if let list = try readWhenChanged() { return list }
        throw .failed("\(path): \(SystemError.text(ENOENT))")
    }

    private func read() throws(CommandFailure) -> OperatorBotList {
        let contents = try InputFile(path: path).readAll(upTo: OperatorBotList.maximumBytes + 1)
        do throws(OperatorBotList.Problem) {
            return try OperatorBotList(contents)
        } catch { throw .failed("\(path): \(error)") }
    }
}

/// Gives the judge the list anew when the file has changed. A file that can't be read, or is no list, leaves the last one in force.
struct BotListWatch: Service {
    let file: BotListFile
    let judge: TrafficJudge
    let logger: Logger

    func run() async {
        await cancelWhenGracefulShutdown {
            var file = file
            while !Task.isCancelled {
                do { try await Task.sleep(for: .seconds(10)) } catch { break }
                BotListWatch.renew(&file, judge, logger)
            }
        }
    }

    static func renew(_ file: inout BotListFile, _ judge: TrafficJudge, _ logger: Logger) {
        do throws(CommandFailure) {
            guard let list = try file.readWhenChanged() else { return }
            judge.use(list)
            logger.info("the list of bots was read again", metadata: ["file": "\(file.path)"])
        } catch {
            logger.warning(
                "the list of bots can't be read; the last one is in force",
                metadata: ["error": "\(error.lines.joined())"])
        }
    }
}
